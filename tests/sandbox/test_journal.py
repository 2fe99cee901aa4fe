from pathlib import Path

from sandbox.journal import Journal


def test_what_was_written_is_read_again_by_the_next_process(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "a.jsonl")
    journal.append({"n": 1, "text": "Grüße"})
    journal.append({"n": 2})
    assert list(Journal(journal.path).read()) == [{"n": 1, "text": "Grüße"}, {"n": 2}]


def test_a_line_torn_by_a_kill_is_cut_off_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":2,"te')
    journal = Journal(path)
    journal.append({"n": 3})
    assert list(journal.read()) == [{"n": 1}, {"n": 3}]
