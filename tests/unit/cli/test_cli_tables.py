"""Tables for people, in plain text."""

from livecam_nvr.cli.tables import table


def test_columns_stand_below_each_other_on_a_terminal_whatever_the_script() -> None:
    accented = "Zoe" + chr(0x308)
    rows = [("anna", "admin"), ("用户", "viewer"), (accented, "watcher")]
    assert table(("NAME", "ROLE"), rows) == [
        "NAME  ROLE",
        "anna  admin",
        "用户  viewer",
        f"{accented}   watcher",
    ]


def test_without_rows_there_is_the_head() -> None:
    assert table(("A", "BCD"), []) == ["A  BCD"]
