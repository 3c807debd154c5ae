# SPDX-License-Identifier: Apache-2.0
"""User code does not notice the guard: arguments, output, exit codes, exceptions, threads."""

import json
import os
import stat
import subprocess

import pytest

import guarded
import processes
from guarded import grant


def plain(classes, folder, *words, options=()):
    """The same program without the guard."""
    return subprocess.run([guarded.java(), "-XX:TieredStopAtLevel=1", *options, "-cp", str(classes), *words],
                          cwd=folder, capture_output=True, text=True, timeout=guarded.PATIENCE)


def trace(text):
    """But for the frames of the guard and of the JDK, which an exception and its cause share."""
    return [line for line in text.splitlines()
            if "io.sparkhost.guard" not in line and not line.startswith(("\tat java.base/", "\t... "))]


def guarded_run(launch, desk, *words, **options):
    """The driver after its end, and its reports."""
    driver = launch(*words, **options)
    reports = guarded.attend(desk.granted())
    driver.wait()
    return driver, reports


def test_main_gets_its_arguments_and_the_output_is_its_own(launch, desk):
    words = ["a b", "", "--conf", "x=ü,y", "{{sparkhost}}", "{{sparkhost}}/none", "{{USER_JAR}}"]
    driver, reports = guarded_run(launch, desk, "Drivers$Say", *words)
    assert driver.process.returncode == 0
    assert driver.out() == f"[{', '.join(words)}]\nmain true\n"
    assert driver.err() == ""
    assert reports == [{"type": "report", "ended": True}]


@pytest.mark.parametrize("code", [0, 7, 143])
def test_the_exit_code_of_system_exit_stays(launch, desk, code):
    driver, reports = guarded_run(launch, desk, "Drivers$Exit", code)
    assert driver.process.returncode == code
    assert driver.ran() and driver.err() == "" and reports == []


def test_an_exception_is_what_it_is_without_a_guard(launch, desk, classes, folder):
    driver, reports = guarded_run(launch, desk, "Drivers$Fail")
    alone = plain(classes, folder, "Drivers$Fail")
    assert driver.process.returncode == alone.returncode == 1
    assert trace(driver.err()) == trace(alone.stderr)
    assert driver.err().count("io.sparkhost.guard") == 1
    assert reports == [{"type": "report", "ended": True,
                        "error": 'java.lang.IllegalArgumentException: no "luck" ü'}]


def test_an_error_of_the_main_class_is_an_error_of_main(launch, desk, classes, folder):
    driver, reports = guarded_run(launch, desk, "Drivers$FailAtFirst")
    alone = plain(classes, folder, "Drivers$FailAtFirst")
    assert driver.process.returncode == alone.returncode == 1
    assert trace(driver.err()) == trace(alone.stderr)
    assert reports[0]["error"] == "java.lang.ExceptionInInitializerError"


@pytest.mark.parametrize("name, error", [
    ("no.such.Main", "java.lang.ClassNotFoundException: no.such.Main"),
    ("Drivers$NoMain", "java.lang.NoSuchMethodException: Drivers$NoMain.main is not static, or returns something"),
])
def test_what_cannot_be_run_fails_with_a_trace(launch, desk, name, error):
    driver, reports = guarded_run(launch, desk, name)
    assert driver.process.returncode == 1
    assert reports == [{"type": "report", "ended": True, "error": error}]
    assert f"{error}\n" in driver.err()


def test_an_exception_that_does_not_speak_is_reported_by_name(launch, desk, classes, folder):
    driver, reports = guarded_run(launch, desk, "Drivers$Mute")
    alone = plain(classes, folder, "Drivers$Mute")
    assert driver.process.returncode == alone.returncode == 1
    assert driver.err() == alone.stderr
    assert reports == [{"type": "report", "ended": True, "error": "Drivers$Mute"}]


def test_memory_that_runs_out_is_the_users(launch, desk):
    driver, reports = guarded_run(launch, desk, "Drivers$Greedy", options=["-Xmx24m"])
    assert driver.process.returncode == 1
    assert "java.lang.OutOfMemoryError: Java heap space" in driver.err()
    assert reports == [] or "OutOfMemoryError" in reports[0]["error"]


def test_threads_of_the_user_keep_the_process_alive(launch, desk, folder):
    gate = processes.Gate(folder / "gate")
    driver = launch("Drivers$Threads", gate.path)
    peer = desk.granted()
    assert guarded.report(peer) == {"type": "report", "ended": True}
    guarded.answer(peer, peer.read())
    peer.send({"type": "ping", "id": 5})  # it goes on, and so does its guard
    assert peer.read() == {"type": "pong", "id": 5}
    assert driver.process.poll() is None
    gate.open()
    assert driver.wait() == 0
    assert driver.out() == "the thread is over\n"
    gate.close()


def test_granted_files_are_the_drivers_alone_and_arguments_name_them(launch, desk):
    driver = launch("Drivers$Say", "{{sparkhost}}/app.py", "a,{{sparkhost}}/app.py,{{sparkhost}}/big,",
                    "x{{sparkhost}}/app.py", "{{sparkhost}}/other")
    big = bytes(range(256)) * 16384
    peer, _ = desk.accept()
    peer.send(grant(app__py=b"print(1)\n", big=big, empty=b""))
    guarded.attend(peer)
    assert driver.wait() == 0, driver.err()
    files = driver.folder.resolve() / "sparkhost"
    assert driver.out().splitlines()[0] == (
        f"[{files}/app.py, a,{files}/app.py,{files}/big,, x{{{{sparkhost}}}}/app.py, {{{{sparkhost}}}}/other]")
    assert sorted(os.listdir(files)) == ["app.py", "big", "empty"]
    assert (files / "app.py").read_bytes() == b"print(1)\n" and (files / "big").read_bytes() == big
    assert stat.S_IMODE(files.stat().st_mode) == 0o700
    for path in files.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_is_there_already_is_not_touched(launch, desk):
    driver = launch("Drivers$Gated", "{{sparkhost}}/a")
    peer, _ = desk.accept()
    (driver.folder / "sparkhost").mkdir()
    peer.send(grant(a=b"x"))
    guarded.attend(peer)
    assert driver.wait() == 0, driver.err()
    assert os.listdir(driver.folder / "sparkhost") == []
    (made,) = driver.folder.glob("sparkhost-*/a")
    assert made.read_bytes() == b"x" and stat.S_IMODE(made.parent.stat().st_mode) == 0o700


def test_files_that_cannot_be_written_fail_the_driver(launch, desk):
    driver = launch("Drivers$Say")
    peer, _ = desk.accept()
    for name in list(driver.folder.iterdir()):
        name.unlink()
    driver.folder.rmdir()  # no folder can be made in one that is gone
    peer.send(grant(a=b"x"))
    (report,) = guarded.attend(peer)
    assert driver.wait() == 1
    assert report["ended"] and "NoSuchFileException" in report["error"]
    assert driver.out() == ""


def granted_words(launch, desk, content, **files):
    """A driver whose words come with the grant, after its end, and its reports."""
    driver = launch("@granted")
    peer, _ = desk.accept()
    peer.send(grant(arguments__json=content, **files) if content is not None else grant(**files))
    reports = guarded.attend(peer)
    driver.wait()
    return driver, reports


def test_words_come_with_the_grant(launch, desk):
    words = ["a b", "", "'$x\"`\\", "line\nline", "ü \U0001F600", "{{sparkhost}}/app.py", "@granted"]
    content = json.dumps(["Drivers$Say", *words]).encode()
    driver, reports = granted_words(launch, desk, content, app__py=b"print(1)\n")
    assert driver.process.returncode == 0, driver.err()
    folder = driver.folder.resolve() / "sparkhost"
    words[5] = f"{folder}/app.py"
    assert driver.out() == f"[{', '.join(words)}]\nmain true\n"
    assert driver.err() == ""
    assert os.listdir(folder) == ["app.py"]  # the words are in nobody's way
    assert reports == [{"type": "report", "ended": True}]


def test_granted_words_are_only_taken_where_they_are_asked_for(launch, desk):
    driver = launch("Drivers$Say", "@granted")
    peer, _ = desk.accept()
    peer.send(grant(arguments__json=b'["Drivers$Fail"]'))
    guarded.attend(peer)
    assert driver.wait() == 0
    assert driver.out().startswith("[@granted]\n")


@pytest.mark.parametrize("content, error", [
    (None, "the host's answer is a grant without arguments.json"),
    (b"", "the host's answer is no JSON: it ends too early (at character 0)"),
    (b'["Drivers$Say"', "the host's answer is no JSON: it ends too early (at character 14)"),
    (b"[]", "the host's answer is no JSON array with a main class in it"),
    (b'{"a":"b"}', "the host's answer is no JSON array with a main class in it"),
    (b'["Drivers$Say"] x', "the host's answer is no JSON array with a main class in it"),
    (b'["Drivers$Say",1]', "the host's answer is a JSON array with something else than strings in it"),
    (b'["Drivers$Say","\xff"]', "no UTF-8"),
])
def test_granted_words_that_are_none_end_the_driver(launch, desk, content, error):
    driver, reports = granted_words(launch, desk, content)
    assert driver.process.returncode == 10
    assert driver.err() == f"sparkhost guard: arguments.json cannot be used: {error}\n"
    assert reports == [{"type": "report", "ended": True, "error": f"arguments.json cannot be used: {error}"}]
    assert not driver.ran() and driver.out() == ""


def test_an_exception_comes_out_of_a_main_that_was_granted(launch, desk, classes, folder):
    driver, reports = granted_words(launch, desk, b'["Drivers$Fail"]')
    alone = plain(classes, folder, "Drivers$Fail")
    assert driver.process.returncode == alone.returncode == 1
    assert trace(driver.err()) == trace(alone.stderr)
    assert reports[0]["error"] == 'java.lang.IllegalArgumentException: no "luck" ü'
