import os

from pipelines.evidence.landing import scan


def places(landing):
    return [(file.system, file.feed, file.instance, file.name) for file in landing]


def test_a_files_place_tells_its_system_feed_and_instance(room):
    room.land("okta/users/a.json")
    room.land("okta/users/emea/b.json")
    assert places(scan(room.home)) == [
        ("okta", "users", "emea", "b.json"),
        ("okta", "users", "main", "a.json"),
    ]


def test_no_landing_folder_is_an_empty_one(room):
    assert scan(room.home) == []


def test_a_sidecar_belongs_to_its_file_and_is_no_evidence_itself(room):
    path = room.land("okta/users/a.json.gz", sidecar={})
    (found,) = scan(room.home)
    assert (found.path, found.sidecar) == (path, path.with_name("a.json.gz.manifest.json"))


def test_a_sidecar_without_its_file_is_told(room):
    room.land("okta/users/a.json.manifest.json")
    problems = []
    assert scan(room.home, problems) == []
    assert problems == [
        "landing/okta/users/a.json.manifest.json: a sidecar without its file: no a.json lies beside it."
    ]


def test_hidden_and_unfinished_files_are_passed_over_in_silence(room):
    for name in (".DS_Store", "a.json.part", "b.json.TMP", ".hidden/c.json"):
        room.land(f"okta/users/{name}")
    problems = []
    assert scan(room.home, problems) == []
    assert problems == []


def test_files_outside_any_feed_are_told_and_the_rest_is_found(room):
    room.land("stray.json")
    room.land("okta/stray.json")
    room.land("okta/users/a.json")
    problems = []
    assert [file.name for file in scan(room.home, problems)] == ["a.json"]
    assert [line.split(":")[0] for line in problems] == ["landing/okta/stray.json", "landing/stray.json"]


def test_a_folder_too_deep_is_one_line_however_many_files_it_holds(room):
    for day in range(3):
        room.land(f"aws/cloudtrail/main/2026/03/{day}/events.json")
    problems = []
    assert scan(room.home, problems) == []
    assert len(problems) == 1
    assert problems[0].startswith("landing/aws/cloudtrail/main/2026: 3 files not taken in")


def test_a_link_out_of_landing_is_refused_whatever_it_links(room, tmp_path):
    secret = tmp_path / "shadow"
    secret.write_text("root")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "c.json").write_text("{}")
    room.land("okta/users/a.json")
    folder = room.home.landing / "okta" / "users"
    (folder / "b.json").symlink_to(secret)
    (folder / "up.json").symlink_to("../../../../shadow")
    (folder / "tenant").symlink_to(tmp_path / "elsewhere")
    (room.home.landing / "entra").symlink_to(tmp_path / "elsewhere")
    (folder / "a.json.manifest.json").symlink_to(secret)
    (folder / "gone.json").symlink_to(folder / "nowhere.json")
    problems = []
    (found,) = scan(room.home, problems)
    assert (found.name, found.sidecar) == ("a.json", None)
    assert [line.split(":")[0].removeprefix("landing/") for line in problems] == [
        "entra", "okta/users/a.json.manifest.json", "okta/users/b.json", "okta/users/gone.json", "okta/users/tenant",
        "okta/users/up.json",
    ]  # fmt: skip


def test_a_link_that_stays_in_landing_is_followed_and_landing_itself_may_be_one(room, tmp_path):
    bulk = tmp_path / "bulk"
    (bulk / "okta" / "users").mkdir(parents=True)
    (bulk / "okta" / "users" / "a.json").write_text("{}")
    (bulk / "okta" / "users" / "latest.json").symlink_to("a.json")
    room.home.root.mkdir()
    room.home.landing.symlink_to(bulk)
    problems = []
    assert [file.name for file in scan(room.home, problems)] == ["a.json", "latest.json"]
    assert problems == []


def test_a_pipe_is_told_and_not_waited_for(room):
    room.land("okta/users/a.json")
    os.mkfifo(room.home.landing / "okta" / "users" / "pipe")
    problems = []
    assert len(scan(room.home, problems)) == 1
    assert problems == ["landing/okta/users/pipe: refused: a pipe is no file."]


def test_a_name_that_is_no_utf8_can_still_be_written_down(room):
    room.land("okta/users/a.json")
    folder = os.fsencode(room.home.landing / "okta" / "users")
    os.rename(folder + b"/a.json", folder + b"/caf\xe9.json")
    (found,) = scan(room.home)
    assert found.name == "caf\\udce9.json"
    assert room.take_in() == 1
