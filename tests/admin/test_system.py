"""The overview, jobs, books, users and the own account."""

from datetime import timedelta

import pytest
from rq.registry import FailedJobRegistry
from rq.timeouts import TimerDeathPenalty
from rq.worker import SimpleWorker
from sqlalchemy import insert, select, text

from admin import counts, words
from admin.screens import books
from admin.screens import jobs as screen
from app.core import queue
from app.core.clock import now
from app.core.db import ALL, atomic, reading, table_of
from app.core.ids import parse_id, public_id, uuid7
from app.core.reactions import FailedReaction
from app.core.runs import JobRun
from app.figures.proofs import PROOFS
from app.staff.add import USERS
from jobs import JOBS, pulse
from tests import factories
from tests.admin.desk import PASSWORD, Desk, user


@pytest.fixture
def newcomer(app):
    """A user of this test alone: (address, id)."""

    def add(role="operator", **more):
        email = f"{uuid7().hex[-12:]}@example.com"
        with app.app_context():
            user(role, email=email, name="Nele Neu", **more)
            with reading(ALL) as connection:
                found = connection.execute(select(USERS.c.id).where(USERS.c.email == email)).scalar_one()
        return email, found

    return add


# overview


def test_todays_numbers_lead_to_their_rows(made, acquirers, desk):
    shop = made(factories.tenant, acquirers["A"])
    made(factories.captured, shop, 7_700)
    page = desk.open("/admin/?mode=test")
    assert "Payments started" in page.text and "% approved" in page.text
    link = page.html.partition('class="tile " href="')[2].partition('"')[0].replace("&amp;", "&")
    assert link.startswith("/admin/payments/?since=")
    assert desk.open(link).status == 200


@pytest.fixture
def no_failed_jobs(app):
    """What other modules left in the Redis that all share."""
    for name in (queue.DELIVERIES, queue.DEFAULT):
        registry = FailedJobRegistry(queue=queue.queue(name))
        for job_id in registry.get_job_ids():
            registry.remove(job_id, delete_job=True)
    counts.forget()


def test_with_nothing_open_it_says_so(desk, no_failed_jobs):
    assert "Nothing is open" in desk.open("/admin/?mode=live").text
    desk.open("/admin/?mode=test")


# jobs


@pytest.fixture
def broken_job(app):
    """A job that failed in its queue."""
    waiting = queue.queue(queue.DEFAULT)
    waiting.empty()
    job = waiting.enqueue_call("jobs.run.run_job", ("no_such_job",), failure_ttl=600)

    class Worker(SimpleWorker):
        death_penalty_class = TimerDeathPenalty

    with app.app_context():
        Worker([waiting], connection=queue.connection(), serializer=waiting.serializer).work(burst=True)
    yield job.id
    FailedJobRegistry(queue=waiting).remove(job.id, delete_job=True)


def test_a_failed_job_is_shown_counted_and_run_again(app, desk, broken_job):
    page = desk.open("/admin/jobs/")
    assert "no_such_job" in page.text and "KeyError" in page.text
    assert "Failed jobs" in desk.open("/admin/?mode=test").text
    again = desk.send(page, page.form_to(f"/{broken_job}/retry"))
    assert again.notes == ["It is in the queue again."]
    assert queue.queue(queue.DEFAULT).get_job_ids() == [broken_job]
    twice = desk.send(page, page.form_to(f"/{broken_job}/retry"))
    assert (twice.status, twice.notes) == (200, ["It is in the queue already."])
    assert queue.queue(queue.DEFAULT).get_job_ids() == [broken_job]
    with app.app_context(), reading(ALL) as connection:
        said = text("SELECT count(*) FROM events WHERE name = 'job.retried' AND data->>'job' = :job")
        assert connection.execute(said, {"job": broken_job}).scalar_one() == 1


def test_a_job_that_is_none_is_not_found(desk):
    page = desk.open("/admin/jobs/")
    answer = desk.ask(
        "/admin/jobs/nothing/retry", "POST", data={"csrf_token": page.form("csrf_token").fields["csrf_token"]}
    )
    assert answer.status_code == 404


def test_periodic_jobs_show_their_last_and_next_run(app, desk):
    with app.app_context(), atomic(ALL) as connection:
        for name, ago, every in (
            ("every_minute", timedelta(minutes=1), timedelta(minutes=1)),
            ("forgotten", timedelta(minutes=20), timedelta(minutes=1)),
            ("daily", timedelta(hours=20), timedelta(days=1)),
            ("yesterdays", timedelta(hours=26), timedelta(days=1)),
        ):
            at = now().replace(microsecond=0) - ago
            values = {
                "leased_until": at,
                "started_at": at,
                "finished_at": at + timedelta(seconds=1),
                "result": "12 sent",
                "next_slot": at + every,
            }
            connection.execute(insert(JobRun).values(name=name, slot=at, **values))
        stuck = now() - timedelta(hours=2)
        connection.execute(insert(JobRun).values(name="stuck", slot=stuck, leased_until=stuck, started_at=stuck))
    text_ = desk.open("/admin/jobs/").text
    row = text_.partition("every_minute")[2]
    assert "In order" in row[:60] and "12 sent" in row[:120]
    assert "in 4 hours" in text_.partition("daily")[2][:100]
    assert "Late" in text_.partition("forgotten")[2][:40]
    assert "Late" in text_.partition("yesterdays")[2][:40]
    assert "Broken" in text_.partition("stuck")[2][:40]
    for name, words_ in words.JOBS.items():
        assert words_ in text_ and name in text_, "also those that never ran"
    assert "Never ran" in text_.partition("snapshot_balances")[2][:40]


def test_the_health_of_what_it_stands_on_is_shown(app, desk, made, tenant, acquirers):
    made(factories.authorised, tenant)
    page = desk.open("/admin/jobs/")
    assert "Database In order answers in" in page.text and "Redis In order" in page.text
    assert "Mail server In order" in page.text and "in the last hour without an answer or not sent" in page.text


def test_every_job_has_words_of_its_own():
    assert set(words.JOBS) == set(JOBS)


def test_signs_of_life_are_those_that_processes_leave(app, desk):
    assert screen._ALIVE == pulse._PREFIX
    with app.app_context():
        pulse.beat("worker default")
    assert "worker default" in desk.open("/admin/jobs/").text


def test_failed_reactions_are_shown_and_repeated(app, made, acquirers, desk):
    shop = made(factories.tenant, acquirers["A"])
    done = made(factories.captured, shop)
    with app.app_context():
        with reading(ALL) as connection:
            query = text("SELECT id FROM events WHERE payment_id = :id AND name = 'capture.succeeded'")
            event_id = connection.execute(query, {"id": done.payment["id"]}).scalar_one()
        with atomic(ALL) as connection:
            connection.execute(
                insert(table_of(FailedReaction)).values(
                    id=uuid7(),
                    event_id=event_id,
                    reaction="app.payments.reactions.settle_receivable",
                    error="OperationalError: it was away",
                    attempts=1,
                    failed_at=now(),
                )
            )
    page = desk.open("/admin/jobs/")
    assert "settle_receivable" in page.text and "it was away" in page.text
    after = desk.send(page, page.form_to("/jobs/reactions"))
    assert after.notes == ["1 repeated, 0 still fail."]


def test_without_redis_the_pages_still_answer(desk, monkeypatch):
    import redis

    def away(*_arguments):
        raise redis.ConnectionError("away")

    monkeypatch.setattr(queue, "connection", away)
    queue.queue.cache_clear()
    try:
        assert "Redis cannot be reached." in desk.open("/admin/jobs/").text
        assert desk.open("/admin/").status == 200
    finally:
        queue.queue.cache_clear()


# books


def test_the_proofs_of_the_books_hold_and_balances_are_shown(made, acquirers, desk):
    shop = made(factories.tenant, acquirers["A"])
    made(factories.captured, shop, 1_234)
    page = desk.open("/admin/books/?mode=test")
    assert "Owed by the provider" in page.text and "€12.34" in page.text
    proved = desk.send(page, page.form_to("/books/prove"))
    assert proved.notes == [f"All {len(PROOFS)} proofs hold."]


def test_every_proof_is_explained():
    assert {proof.__name__ for proof in PROOFS} == set(books.SAYS)


# users


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"email": "nonsense"}, "This is not an e-mail address. Type it like name@example.com."),
        ({"email": "admin@example.com"}, "There is a user with this e-mail address already."),
        ({"name": ""}, "This is needed."),
        ({"roles": None}, "Choose at least one role."),
    ],
)
def test_what_is_wrong_with_a_user_is_said_at_its_field(desk, changes, error):
    page = desk.open("/admin/users/add")
    fields = {"email": "x@example.com", "name": "X", "roles": ["support"], **changes}
    assert desk.send(page, page.form("email"), **fields).errors == [error]


def test_a_role_is_not_made_up(desk):
    page = desk.open("/admin/users/add")
    again = desk.send(page, page.form("email"), email="y@example.com", name="Y", roles=["emperor"])
    assert again.path.startswith("/admin/users/add") and len(again.errors) == 1


def test_changed_roles_count_from_the_next_click(app, desk, newcomer):
    email, user_id = newcomer("support")
    theirs = Desk(app.test_client())
    theirs.log_in(email)
    assert theirs.open("/admin/users/").status == 403
    page = desk.open(f"/admin/users/{public_id('usr', user_id)}/grants/0/change")
    assert page.form("role").fields["role"] == "support"
    desk.send(page, page.form("role"), role="admin")
    assert theirs.open("/admin/users/").status == 200


def test_a_deactivated_user_is_out_at_once_and_can_come_back(app, desk, newcomer):
    email, user_id = newcomer()
    theirs = Desk(app.test_client())
    theirs.log_in(email)
    path = f"/admin/users/{public_id('usr', user_id)}"
    page = desk.open(f"{path}/switch")
    assert desk.send(page, page.own_form).notes == ["The account is deactivated; every session has ended."]
    assert theirs.open("/admin/").path.startswith("/admin/login")
    page = desk.open(f"{path}/switch")
    assert desk.send(page, page.own_form).notes == ["The account is active again."]
    assert theirs.log_in(email).path == "/admin/"


def test_nobody_locks_themselves_out(app, desk):
    with app.app_context(), reading(ALL) as connection:
        me = connection.execute(select(USERS.c.id).where(USERS.c.email == "admin@example.com")).scalar_one()
    page = desk.open(f"/admin/users/{public_id('usr', me)}/switch")
    assert desk.send(page, page.own_form).notes[0].startswith("You cannot deactivate your own account.")


# the own account


def test_name_language_and_time_zone_are_ones_own(app, newcomer):
    email, _ = newcomer()
    desk = Desk(app.test_client())
    desk.log_in(email)
    page = desk.open("/admin/account/")
    saved = desk.send(page, page.form("timezone"), name="Nele N.", language="de", timezone="Europe/Lisbon")
    assert saved.notes == ["Gespeichert."] and "Nele N." in saved.text
    assert "Europe/Lisbon" in saved.form("timezone").fields["timezone"]


def test_times_are_shown_in_the_users_zone(app, made, acquirers, newcomer):
    email, _ = newcomer()
    desk = Desk(app.test_client())
    desk.log_in(email)
    shop = made(factories.tenant, acquirers["A"])
    done = made(factories.authorised, shop)
    path = f"/admin/payments/{public_id('pay', done.payment['id'])}"
    page = desk.open("/admin/account/")
    assert " CET" in desk.open(path).text or " CEST" in desk.open(path).text
    desk.send(page, page.form("timezone"), timezone="UTC")
    assert " UTC" in desk.open(path).text


def test_the_password_is_changed_and_other_sessions_end(app, newcomer):
    email, _ = newcomer()
    here, elsewhere = Desk(app.test_client()), Desk(app.test_client())
    here.log_in(email)
    elsewhere.log_in(email)
    page = here.open("/admin/account/password")
    new = "ganz-andere-worte-hier"
    done = here.send(page, page.form("present"), present=PASSWORD, password=new, again=new)
    assert done.notes == ["The password is changed. Your other sessions have ended."]
    assert here.open("/admin/account/").status == 200
    assert elsewhere.open("/admin/account/").path.startswith("/admin/login")
    assert elsewhere.log_in(email, new).path == "/admin/"


@pytest.mark.parametrize(
    ("present", "password", "again", "error"),
    [
        ("wrong", "a-good-new-password", "a-good-new-password", "This is not your present password."),
        (PASSWORD, "short", "short", "The password must have at least 12 characters"),
        (PASSWORD, "a-good-new-password", "another", "The two are not the same."),
        (PASSWORD, "", "", "This is needed."),
    ],
)
def test_a_wrong_change_of_password_is_said_at_its_field(app, newcomer, present, password, again, error):
    email, _ = newcomer()
    desk = Desk(app.test_client())
    desk.log_in(email)
    page = desk.open("/admin/account/password")
    wrong = desk.send(page, page.form("present"), present=present, password=password, again=again)
    assert len(wrong.errors) == 1 and error in wrong.errors[0]
    assert Desk(app.test_client()).log_in(email).path == "/admin/"


def test_guessing_the_present_password_locks_too(app, newcomer):
    email, _ = newcomer()
    desk = Desk(app.test_client())
    desk.log_in(email)
    for _ in range(5):
        page = desk.open("/admin/account/password")
        desk.send(page, page.form("present"), present="guess", password="a-good-new-one", again="a-good-new-one")
    page = desk.open("/admin/account/password")
    last = desk.send(page, page.form("present"), present=PASSWORD, password="a-good-new-one", again="a-good-new-one")
    assert last.notes == ["Too many wrong passwords. Wait a while."]


def test_ids_of_users_are_like_all_others(desk, newcomer):
    _, user_id = newcomer()
    page = desk.open(f"/admin/users/{public_id('usr', user_id)}")
    assert page.status == 200 and parse_id("usr", page.path.rpartition("/")[2]) == user_id


@pytest.mark.parametrize(
    ("name", "result"), [("prove_books", "broken: books_balance"), ("verify_scripts", "different: a form")]
)
def test_what_a_nightly_check_has_found_stands_on_the_start_page_until_one_finds_nothing(
    app, desk, desks, name, result
):
    def ran(minutes, said):
        at = now().replace(microsecond=0) + timedelta(minutes=minutes)
        values = {"leased_until": at, "started_at": at, "finished_at": at, "result": said, "next_slot": None}
        with app.app_context(), atomic(ALL) as connection:
            connection.execute(insert(JobRun).values(name=name, slot=at, **values))
        counts.forget()

    said = "Nightly checks that found something"
    assert said not in desk.open("/admin/").text
    ran(-2, result)
    assert said in desk.open("/admin/").text and said not in desks("accountant").open("/admin/").text
    assert "Found something" in desk.open("/admin/jobs/").text.partition(name)[2][:60]
    ran(-1, "all is well")
    assert said not in desk.open("/admin/").text
