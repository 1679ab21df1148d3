"""A certificate for HTTPS on this machine, which the pool creates and signs itself.

Programs trust it with ``REQUESTS_CA_BUNDLE``, ``SSL_CERT_FILE`` or ``NODE_EXTRA_CA_CERTS``, set to
the path of tls.pem. Browsers show a warning.
"""

import datetime
import ipaddress
import ssl

from .store import Store

CERTIFICATE, KEY = "tls.pem", "tls-key.pem"
ADDRESSES = ("127.0.0.1", "::1")
DAYS = 397  # the longest lifetime that browsers accept


def server_context(store: Store) -> ssl.SSLContext:
    """Return the context of the server, with a new certificate if there is no valid one."""
    from cryptography import x509  # in functions, because most pools need none

    saved = store.read(CERTIFICATE)
    now = datetime.datetime.now(datetime.UTC)
    if saved is None or x509.load_pem_x509_certificate(saved.encode()).not_valid_after_utc <= now:
        _create(store, now)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(store.folder / CERTIFICATE, store.folder / KEY)
    return context


def _create(store: Store, now: datetime.datetime) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local pool")])
    addresses = (x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES)
    names = [x509.DNSName("localhost"), *addresses]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    store.write(KEY, key.private_bytes(pem, pkcs8, serialization.NoEncryption()).decode())
    store.write(CERTIFICATE, certificate.public_bytes(pem).decode())
