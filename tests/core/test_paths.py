import stat
import sys

import pytest

from costopt.core.errors import CostoptError
from costopt.core.paths import cache_dir


def test_follows_xdg_cache_home_and_is_private(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "deep" / "cache"))
    folder = cache_dir()
    assert folder == tmp_path / "deep" / "cache" / "costopt"
    assert folder.is_dir()
    if sys.platform != "win32":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert cache_dir() == folder


@pytest.mark.skipif(sys.platform != "linux", reason="the fallback lies under HOME on Linux")
@pytest.mark.parametrize("value", [None, "", "relative/cache"])
def test_falls_back_to_the_platforms_folder(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    if value is None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", value)
    folder = cache_dir()
    assert folder.is_absolute()
    assert folder.name == "costopt"
    assert not (tmp_path / "relative").exists()


def test_a_folder_that_cannot_be_made_is_the_users_to_mend(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(CostoptError) as caught:
        cache_dir()
    assert "XDG_CACHE_HOME" in caught.value.hint
