"""What is stored: users, identities, sign-ins, the audit log, and what processes share.

`Identity` and `SignIn` point at `settings.AUTH_USER_MODEL`: a host project that has its own user
model keeps it, and `User` is then swapped out. Names in the database hold no app label, so that the
migrations fit a renamed folder.
"""

from . import labels as labels
from .coordination import RateCounter as RateCounter
from .coordination import RefreshResult as RefreshResult
from .events import EventKind as EventKind
from .events import SignInEvent as SignInEvent
from .pool_subject import PoolSubject as PoolSubject
from .pool_subject import is_same_pool as is_same_pool
from .pool_subject import pool_of as pool_of
from .revocations import PendingRevocation as PendingRevocation
from .revocations import Revocation as Revocation
from .sign_ins import SignIn as SignIn
from .sign_ins import SignInQuerySet as SignInQuerySet
from .sign_ins import new_sign_in_key as new_sign_in_key
from .users import Identity as Identity
from .users import IdentityQuerySet as IdentityQuerySet
from .users import User as User
