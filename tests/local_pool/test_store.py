"""Stored state: restarts, a killed process, and parallel requests."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from local_pool import commands
from local_pool.config import load_config
from local_pool.server import listen
from local_pool.state import State
from local_pool.testing import LocalPool, Seed

from .conftest import App


def test_state_and_keys_are_readable_by_their_owner_alone(pool):
    assert stat.S_IMODE(pool.folder.stat().st_mode) == 0o700
    assert {path.name for path in pool.folder.iterdir()} == {"state.json", "keys.json"}
    for path in pool.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_stored_state_holds_no_password_code_or_token(app):
    tokens = app.tokens()
    code = app.code()
    text = (app.pool.folder / "state.json").read_text()
    for secret in ("Cognito-demo-1", code, tokens["refresh_token"]):
        assert secret not in text
    assert json.loads(text)["people"]["ada"]["attributes"]["email"] == "ada@example.com"


def test_state_survives_being_written_and_read(app):
    app.tokens()
    app.code()
    state = app.pool.pool.state
    assert State.from_json(state.to_json()) == state


def test_changed_secrets_survive_a_restart_and_reset_deletes_them(app):
    client = {"UserPoolId": app.pool.pool_id, "ClientId": app.pool.client_id}
    made = app.api("AddUserPoolClientSecret", **client).json()["ClientSecretDescriptor"]
    declared = f"{app.pool.client_id}--0"
    app.api("DeleteUserPoolClientSecret", **client, ClientSecretId=declared)
    app.pool.restart()
    [listed] = app.api("ListUserPoolClientSecrets", **client).json()["ClientSecrets"]
    assert listed["ClientSecretId"] == made["ClientSecretId"]
    assert app.pool.client_secret not in (app.pool.folder / "state.json").read_text()
    assert made["ClientSecretId"] in app.get("/_local/").text
    commands.run(app.pool.pool, "reset")
    [listed] = app.api("ListUserPoolClientSecrets", **client).json()["ClientSecrets"]
    assert listed["ClientSecretId"] == declared


def test_state_of_before_there_were_two_secrets_is_read():
    older = json.loads(State().to_json())
    del older["client_secrets"], older["deleted_secrets"]
    assert State.from_json(json.dumps(older)) == State()


def test_everything_but_faults_survives_a_restart(app):
    browser = requests.Session()
    code, pending = app.code(session=browser), app.code("grace")
    tokens = app.redeem(code).json()
    app.pool.set_groups("linus", "editors")
    app.pool.restart()
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert app.user_info(tokens["access_token"]).status_code == 200
    assert app.redeem(pending).status_code == 200
    assert "code=" in app.authorize(browser).headers["Location"]
    assert app.pool.get_user("linus").groups == ("editors",)


def test_deleted_user_is_not_revived_by_a_restart(pool):
    pool.delete("linus")
    pool.restart()
    assert "linus" not in pool.pool.state.people


def test_changed_declaration_is_applied_and_keeps_the_sub(pool):
    sub = pool.get_user("ada").sub
    pool.config = type(pool.config)(
        **(vars(pool.config) | {"people": (Seed("ada", groups=("editors",)), Seed("new"))})
    )
    pool.restart()
    assert pool.get_user("ada").sub == sub
    assert pool.get_user("ada").groups == ("editors",)
    assert pool.get_user("new").status == "CONFIRMED"


def test_outage_refuses_connections_until_it_is_over(app):
    app.pool.stop()
    with pytest.raises(requests.ConnectionError):
        app.get("/_local/health")
    app.pool.start()
    assert app.get("/_local/health").json()["status"] == "ok"


def test_expired_records_are_deleted(app):
    app.tokens()
    app.code()
    app.pool.clock.advance(31 * 86400)
    app.pool.disable("grace")  # any change writes, and prunes
    state = app.pool.pool.state
    tables = (state.sign_ins, state.refresh_tokens, state.codes, state.sessions)
    assert not any(tables)


def test_sixty_four_parallel_sign_ins_all_succeed(app):
    def sign_in(number: int) -> int:
        response = app.redeem(app.code(state=f"state-{number}"))
        return response.status_code

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(sign_in, range(64))) == [200] * 64
    assert len(app.pool.pool.state.sign_ins) == 64
    on_disk = json.loads((app.pool.folder / "state.json").read_text())
    assert len(on_disk["sign_ins"]) == 64


def test_sixteen_parallel_redemptions_give_one_token_set(app):
    code = app.code()
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: app.redeem(code), range(16)))
    assert sorted(response.status_code for response in answers) == [200] + [400] * 15
    assert {a.json()["error"] for a in answers if a.status_code == 400} == {"invalid_grant"}
    assert len(app.pool.pool.state.refresh_tokens) == 1


def test_sixteen_parallel_refreshes_without_grace_give_one_successor(make_local_pool):
    app = App(make_local_pool(rotate_refresh_tokens=True))
    first = app.tokens()["refresh_token"]
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: app.refresh(first), range(16)))
    assert sorted(response.status_code for response in answers) == [200] + [400] * 15


def test_killed_process_loses_no_issued_token(tmp_path):
    """After kill -9 during sign-ins, all issued tokens still work."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    listener.close()
    environment = os.environ | {"POOL_PORT": str(port), "LOCAL_POOL_DIR": str(tmp_path / "pool")}

    def start() -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "local_pool"], env=environment, stdout=subprocess.DEVNULL
        )
        for _ in range(1_200):
            try:
                requests.get(f"http://localhost:{port}/_local/health", timeout=60)
                return process
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError("the pool did not start")

    first = start()
    got: list[str] = []
    url = f"http://localhost:{port}/_local/token"

    def sign_in(number: int) -> None:
        try:
            response = requests.post(url, json={"as": "ada"}, timeout=60)
            got.append(response.json()["refresh_token"])
        except requests.RequestException:
            return
        if len(got) == 40:
            first.send_signal(signal.SIGKILL)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(sign_in, range(200)))
    assert first.wait(10) == -signal.SIGKILL
    assert 40 <= len(got) < 200
    second = start()
    try:
        config = load_config({})
        auth = (config.client_id, config.client_secret)
        for refresh_token in got:
            form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
            response = requests.post(
                f"http://localhost:{port}/oauth2/token", data=form, auth=auth, timeout=60
            )
            assert response.status_code == 200
        assert json.loads((tmp_path / "pool" / "state.json").read_text())
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(10) == 0


def test_ten_pools_run_side_by_side(make_local_pool):
    pools = [make_local_pool(id=f"local-1_Pool{number}") for number in range(10)]
    for pool in pools:
        tokens = App(pool).tokens()
        assert App(pool).user_info(tokens["access_token"]).status_code == 200
    assert len({pool.issuer for pool in pools}) == 10


def test_pool_starts_in_milliseconds():
    with LocalPool():
        pass  # creates the shared keys
    started = time.thread_time()
    with LocalPool():
        assert time.thread_time() - started < 0.5


def test_users_and_sign_ins_change_at_once_without_waiting_for_each_other(app):
    def change(number: int) -> None:
        commands.run(app.pool.pool, f"{('join', 'leave')[number % 2]} linus editors")
        app.pool.tokens_for("ada")

    with ThreadPoolExecutor(16) as threads:
        futures = [threads.submit(change, number) for number in range(64)]
        for future in futures:
            future.result(timeout=60)
    assert len(app.pool.pool.state.sign_ins) == 64
