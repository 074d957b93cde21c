"""What counts as a change of the landing folder and of the code."""

from __future__ import annotations

import os

from pipelines.home import Home
from pipelines.orchestration import fingerprints


def test_a_landing_folder_changes_with_its_files_and_not_with_being_looked_at(tmp_path):
    seen = [fingerprints.of_landing(tmp_path)]

    def changed() -> bool:
        seen.append(fingerprints.of_landing(tmp_path))
        return seen[-1] not in seen[:-1]

    file = tmp_path / "okta" / "users" / "a.json"
    file.parent.mkdir(parents=True)
    file.write_text("[]")
    assert changed()
    file.read_text()
    assert not changed()
    file.write_text("[{}]")
    assert changed()
    os.utime(file, (1, 1))
    assert changed()
    file.rename(file.with_name("b.json"))
    assert changed()


def test_a_landing_folder_that_is_not_there_is_an_empty_one(tmp_path):
    assert fingerprints.of_landing(tmp_path / "nowhere") == fingerprints.of_landing(tmp_path)


def test_code_and_models_have_fingerprints_of_their_own(tmp_path):
    home = Home.at(tmp_path)
    assert fingerprints.of_code(home) == fingerprints.of_code(home)
    assert fingerprints.of_models(home) == fingerprints.of_models(home)
    assert fingerprints.of_code(home) != fingerprints.of_models(home)


def test_models_change_with_the_time_zones_that_a_home_sets(tmp_path):
    home = Home.at(tmp_path)
    before = fingerprints.of_models(home)
    home.settings.write_text('[timezones]\n"okta/users" = "UTC"\n')
    assert fingerprints.of_models(home) == before
    home.settings.write_text('[timezones]\n"okta/users" = "Europe/Berlin"\n')
    assert fingerprints.of_models(home) != before and fingerprints.of_code(home)


def test_models_change_with_a_feed_s_description(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprints, "PROJECT", tmp_path)
    monkeypatch.setattr(fingerprints, "DBT_PROJECT", tmp_path / "dbt_project")
    description = tmp_path / "pipelines" / "ingest" / "feeds" / "okta" / "users.yml"
    description.parent.mkdir(parents=True)
    description.write_text("one")
    before = fingerprints.of_models(Home.at(tmp_path))
    (tmp_path / "dbt_project" / "target").mkdir(parents=True)
    (tmp_path / "dbt_project" / "target" / "manifest.json").write_text("{}")
    assert fingerprints.of_models(Home.at(tmp_path)) == before, "what dbt writes is no source"
    description.write_text("two")
    assert fingerprints.of_models(Home.at(tmp_path)) != before
