"""The tests' project as it would run in production: persistent connections, prepared statements."""

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

ROOT_URLCONF = "tests.performance.workload"
DATABASES["default"] |= {
    "CONN_MAX_AGE": None,
    "OPTIONS": {"server_side_binding": True, "prepare_threshold": 3},
}
