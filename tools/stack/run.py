"""`run`: everything, from an empty machine to a printed login, and then until Ctrl-C."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from tools.stack import demo, doctor, external, lock
from tools.stack.accounts import account
from tools.stack.children import PORTS, Addresses, children, demonstration, migration
from tools.stack.keys import ensure_keys
from tools.stack.places import CLONE, leave_socket_dir, prepare_home, socket_dir
from tools.stack.processes import die_with_parent
from tools.stack.roles import APP_ROLE, OWNER_ROLE
from tools.stack.say import say, seconds, write
from tools.stack.session import StatusFile, supervised
from tools.stack.settled import demo_is_there, tables_are_current
from tools.stack.stores import embedded_postgres, embedded_valkey
from tools.stack.supervisor import Stopped, Supervisor


@dataclass(frozen=True)
class Plan:
    """What to run and where.

    `published` is where people find demo.json. `held` is the lock's descriptor if a caller (root,
    before it became the service account) has taken it already.
    """

    home: Path
    port: int
    published: Path
    held: int | None = None
    with_parent: bool = False


def run(plan: Plan) -> int:
    """Returns the exit code: 0 after a signal. Raises StackError."""
    if plan.with_parent:
        die_with_parent(signal.SIGTERM)
    account()  # Refuses a user id that PostgreSQL would refuse later and less clearly.
    prepare_home(plan.home, None)
    url = f"http://localhost:{plan.port}"
    held = plan.held if plan.held is not None else lock.take(plan.home, url=url)
    doctor.examine(plan.home, [plan.port + offset for offset in range(PORTS)])
    plan.published.unlink(missing_ok=True)
    with supervised(plan.home, held, url) as (supervisor, status):
        try:
            _start_everything(plan, supervisor, status)
            supervisor.keep()
        except Stopped:
            say("stopping everything")
    leave_socket_dir(plan.home, socket_dir(plan.home, None))
    return 0


def _start_everything(plan: Plan, supervisor: Supervisor, status: StatusFile) -> None:
    at = _start_stores(plan, supervisor)
    status.note(port=plan.port, home=str(plan.home), keys=str(at.keys), database_url=at.app_url, redis_url=at.redis_url)
    if not os.environ.get("DATABASE_URL"):  # An operator's own password is never written down.
        status.note(database_owner_url=at.owner_url)
    if not tables_are_current(at.owner_url, at.code / "migrations" / "versions"):
        say("database: bringing tables up to date")
        supervisor.step(migration(at))
    supervisor.start(children(at))
    supervisor.wait_ready()
    if not demo_is_there(at.owner_url, at.demo_file, at.public_url, at.code):
        say("demo data: making what is missing")
        supervisor.step(demonstration(at))
    facts = demo.read(at.demo_file)
    demo.publish(at.demo_file, plan.published)
    status.note(ready=True)
    write(f"\n{demo.as_text(facts)}\n\n")
    say(f"ready in {seconds():.1f} s at {at.public_url} (Ctrl-C stops everything)")


def _start_stores(plan: Plan, supervisor: Supervisor) -> Addresses:
    """Embedded servers, or the operator's own where DATABASE_URL or REDIS_URL is set."""
    given_database, given_redis = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    if given_redis:
        external.check_redis(given_redis)
    postgres = None if given_database else embedded_postgres(plan.home, None)
    valkey = None if given_redis else embedded_valkey(plan.home, None)
    supervisor.start([store.child() for store in (postgres, valkey) if store])
    # Crash recovery of a large database takes as long as it takes.
    supervisor.wait_ready(600)
    if postgres:
        postgres.provision()
        urls = (postgres.url(OWNER_ROLE), postgres.url(APP_ROLE))
    else:
        urls = external.database_urls(given_database or "", plan.home)
    redis_url = valkey.url if valkey else given_redis or ""
    return Addresses(plan.port, plan.home, CLONE, *urls, redis_url=redis_url, keys=ensure_keys(plan.home))
