"""What `make audit` makes of the answers it gets."""

from tools.audit import report


def test_a_known_weakness_is_named_with_the_version_that_mends_it(capsys):
    found = [
        {"name": "good", "version": "1", "vulns": []},
        {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]},
    ]
    assert report(found) == 1
    assert "bad 2: PYSEC-1, mended in 2.1" in capsys.readouterr().out


def test_nothing_known_is_good_but_nothing_looked_up_is_not():
    assert report([{"name": "good", "version": "1", "vulns": []}, {"name": "ours", "skip_reason": "not found"}]) == 0
    assert report([{"name": "ours", "skip_reason": "not found"}]) == 2
