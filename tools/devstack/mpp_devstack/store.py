"""A MongoDB-compatible store on loopback: given by URI, or mongod, or DocumentDB behind the wire front.

Knows how to choose, start and end them; knows nothing of documents. Durability is never traded for speed: fsync stays
on, and an acknowledged write survives SIGKILL of every process of the store.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

import bson

from mpp_devstack import identity, packages, processes
from mpp_devstack.errors import FetchError, NotOwnedError, NotStartedError, StartError
from mpp_devstack.ports import LOOPBACK, PortBook
from mpp_devstack.processes import Part
from mpp_devstack.progress import Reporter
from mpp_devstack.wirefront.probe import ask

PRELOADED = (
    "pg_cron",
    "pg_documentdb_core",
    "pg_documentdb",
    "pg_documentdb_extended_rum_core",
    "pg_documentdb_extended_rum",
)
START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 15.0


class Store(Protocol):
    """What every kind of store offers. All methods are idempotent."""

    kind: str

    @property
    def uri(self) -> str: ...
    def ready(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def restart(self) -> None: ...
    def kill(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...
    def pids(self) -> list[int]: ...


def choose(home: Path, ports: PortBook, report: Reporter) -> Store:
    """MONGODB_URI, else mongod on PATH, else DocumentDB."""
    given = os.environ.get("MONGODB_URI")
    if given:
        return GivenStore(given)
    mongod = shutil.which("mongod")
    if mongod:
        return MongodStore(home, ports, mongod, report)
    return DocumentStore(home, ports, report)


class GivenStore:
    """A server that somebody else runs: used as it is, never started, ended or hurt."""

    kind = "given by MONGODB_URI"

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def ready(self) -> bool:
        return True

    def start(self) -> None:
        return

    def stop(self) -> None:
        return

    def _refuse(self) -> None:
        raise NotOwnedError("the store was given by MONGODB_URI: the devstack does not stop or hurt it")

    restart = kill = freeze = thaw = _refuse

    def pids(self) -> list[int]:
        return []


class Process:
    """One process (with its children) of a store, and how it is started."""

    def __init__(self, part: Part) -> None:
        self.part = part

    def pids(self) -> list[int]:
        return self.part.processes()

    def running(self) -> bool:
        return self.part.main_pid() is not None

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        processes.end(self.pids, grace=5, first=signal.SIGKILL)

    def freeze(self) -> None:
        processes.freeze(self.pids())

    def thaw(self) -> None:
        processes.send(self.pids(), signal.SIGCONT)


class Front(Process):
    """The wire front's process."""

    def __init__(self, home: Path, ports: PortBook, socket_path: Path) -> None:
        super().__init__(Part("front", home))
        self._ports = ports
        self._socket = socket_path

    def ready(self) -> bool:
        port = self._ports.get("mongodb")
        return port is not None and self.running() and ask(port, {"ping": 1, "$db": "admin"}) is not None

    def start(self) -> None:
        """Start and wait until it answers. Raises StartError."""
        if self.ready():
            return
        self.kill()
        port = self._ports.claim("mongodb")
        command = [sys.executable, "-m", "mpp_devstack.wirefront.server", str(port), str(self._socket)]
        here = str(Path(__file__).resolve().parents[1])  # works from a checkout that is not installed, too
        self.part.spawn(command, env={**os.environ, "PYTHONPATH": here}, cwd=self.part.home)
        if not processes.wait_until(lambda: not self.running() or self.ready(), START_TIMEOUT) or not self.ready():
            raise StartError(f"the wire front did not start; {self.part.log}:\n{self.part.log_tail()}")

    def stop(self) -> None:
        processes.end(self.pids, grace=5)


class Engine(Process):
    """PostgreSQL with the DocumentDB extension, on a Unix socket only."""

    def __init__(self, home: Path, report: Reporter) -> None:
        super().__init__(Part("engine", home))
        self._data = home / "store" / "data"
        self._report = report
        self.sockets = _socket_folder(home)

    @property
    def socket_path(self) -> Path:
        return self.sockets / ".s.PGSQL.5432"

    def pids(self) -> list[int]:
        """PostgreSQL overwrites its environment with its title: its processes are known by their working directory."""
        here = str(self._data)
        found = set(self.part.processes())
        for pid in processes.all_pids():
            if (
                processes.working_directory(pid) == here
                and processes.command_name(pid) == "postgres"
                and processes.alive(pid)
            ):
                found.add(pid)
        return sorted(found)

    def start(self) -> None:
        """Start and wait until it accepts connections; make the database first when there is none."""
        if self.running() and self._accepts(self._binaries()):
            return
        self.kill()
        binaries = self._binaries()
        who = identity.not_root(binaries / "postgres")
        self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._remove_stale_locks()
        fresh = not (self._data / "PG_VERSION").exists()
        if fresh:
            self._create(binaries, who)
        self._configure(who)
        self._launch(binaries, who)
        if fresh or not (self._data / ".extensions").exists():
            self._install_extension(binaries)

    def stop(self) -> None:
        """Fast shutdown: open work is rolled back, everything is flushed."""
        processes.end(self.pids, grace=STOP_TIMEOUT, first=signal.SIGINT, only=self.part.main_pid())

    def _binaries(self) -> Path:
        prefix = packages.ensure(_wanted(), self._report)
        found = sorted(prefix.glob("usr/lib/postgresql/*/bin"))
        if not found:
            raise FetchError(f"no PostgreSQL under {prefix}: remove that folder and try again")
        return found[-1]

    def _remove_stale_locks(self) -> None:
        """kill() made sure that no postgres of this directory lives, so its locks are stale, whatever pid they name.

        PostgreSQL itself would refuse: it asks only whether the pid exists, and a zombie or a stranger does.
        """
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        for lock in self.sockets.glob(".s.PGSQL.*"):
            lock.unlink(missing_ok=True)

    def _create(self, binaries: Path, who: identity.Identity) -> None:
        self._report.step("creating the store", 0)
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(parents=True, mode=0o700)
        who.give(self._data)
        self._tool([*who.prefix, str(binaries / "initdb"), "-D", str(self._data), "-A", "trust", "-U", "pg",
                    "--no-locale", "-E", "UTF8", "--no-instructions"])  # fmt: skip
        self._report.step("creating the store", 100)

    def _tool(self, command: list[str]) -> str:
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", env={**os.environ, "LC_ALL": "C"})
        if done.returncode:
            raise StartError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()[-800:]}")
        return done.stdout

    def _configure(self, who: identity.Identity) -> None:
        sockets = str(self.sockets)
        settings = {
            "shared_preload_libraries": ",".join(PRELOADED),
            # this access method answers sorts from the index; the default one reads and sorts all that matches
            "documentdb.alternate_index_handler_name": "extended_rum",
            # A cursor that the engine must keep lives in a file instead of one connection's portal: the front asks for
            # the next page on any connection. As long as MongoDB keeps an idle cursor.
            "documentdb.useFileBasedPersistedCursors": "on",
            "documentdb.defaultCursorExpiryTimeLimitSeconds": "600",
            "listen_addresses": "",
            "unix_socket_directories": sockets,
            "unix_socket_permissions": "0700",
            "max_connections": "60",
            "superuser_reserved_connections": "5",
            # durability: what is acknowledged is on disk
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            # latency on a small machine
            "commit_delay": "0",
            "deadlock_timeout": "20ms",  # two equal unique keys at once deadlock in the engine; the front tries again
            "shared_buffers": "128MB",
            "work_mem": "8MB",
            "maintenance_work_mem": "64MB",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "wal_buffers": "8MB",
            "wal_compression": "off",
            "min_wal_size": "256MB",
            "max_wal_size": "1GB",
            "checkpoint_timeout": "15min",
            "checkpoint_completion_target": "0.9",
            "jit": "off",
            # the engine guesses that half of a table matches: an index would often lose to a full scan
            "random_page_cost": "1.1",
            "seq_page_cost": "4",
            "max_worker_processes": "12",
            "max_parallel_workers_per_gather": "0",
            "max_parallel_maintenance_workers": "0",
            "io_method": "sync",
            # an index answers a sort only once the table has statistics: gather them soon
            "autovacuum_naptime": "10s",
            "autovacuum_max_workers": "1",
            "autovacuum_vacuum_cost_delay": "2ms",
            "track_activities": "on",
            "update_process_title": "off",
            "log_min_messages": "log",
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_checkpoints": "off",
            # the engine's own jobs (TTL) connect to itself: through the socket, not through TCP
            "documentdb.localhost_connection_string": f"host={sockets}",
            "cron.database_name": "postgres",
            "cron.host": sockets,
            "cron.log_run": "off",
            "cron.log_statement": "off",
            "cron.use_background_workers": "on",
            "documentdb.enableBackgroundWorker": "off",  # its only jobs build indexes in the background
        }
        lines = [f"{key} = '{value}'" for key, value in settings.items()]
        path = self._data / "postgresql.auto.conf"
        path.write_text("# written by mpp_devstack at every start\n" + "\n".join(lines) + "\n")
        who.give(self.sockets)
        if who.owner is not None:
            os.chown(path, *who.owner)

    def _launch(self, binaries: Path, who: identity.Identity) -> None:
        self._report.step(f"starting the store (PostgreSQL {who.name})", 0)
        command = [*who.prefix, str(binaries / "postgres"), "-D", str(self._data)]
        self.part.spawn(command, env={**os.environ, "LC_ALL": "C"}, cwd=Path("/"))
        ready = processes.wait_until(lambda: not self.running() or self._accepts(binaries), START_TIMEOUT)
        if not ready or not self.running():
            raise StartError(f"PostgreSQL did not start; {self.part.log}:\n{self.part.log_tail()}")
        self._report.step(f"starting the store (PostgreSQL {who.name})", 100)

    def _accepts(self, binaries: Path) -> bool:
        command = [str(binaries / "pg_isready"), "-q", "-h", str(self.sockets), "-U", "pg", "-d", "postgres"]
        return subprocess.run(command, capture_output=True, cwd="/").returncode == 0

    def _install_extension(self, binaries: Path) -> None:
        self._report.step("installing the document engine", 0)
        psql = [
            str(binaries / "psql"),
            "-h",
            str(self.sockets),
            "-U",
            "pg",
            "-d",
            "postgres",
            "-qX",
            "-v",
            "ON_ERROR_STOP=1",
        ]
        self._tool([*psql, "-c", "CREATE EXTENSION IF NOT EXISTS documentdb CASCADE"])
        self._tool([*psql, "-c", "CREATE EXTENSION IF NOT EXISTS documentdb_extended_rum CASCADE"])
        # indexes are built at once by createIndexes here: the two jobs that poll for index work every 2 s have none
        self._tool(
            [*psql, "-c", "SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname LIKE 'documentdb_index_build%'"]
        )
        (self._data / ".extensions").touch()
        self._report.step("installing the document engine", 100)


class DocumentStore:
    """DocumentDB on PostgreSQL (`engine`) behind the wire front (`front`)."""

    kind = "DocumentDB on PostgreSQL"

    def __init__(self, home: Path, ports: PortBook, report: Reporter) -> None:
        self._ports = ports
        self.engine = Engine(home, report)
        self.front = Front(home, ports, self.engine.socket_path)

    @property
    def uri(self) -> str:
        port = self._ports.get("mongodb")
        if port is None:
            raise NotStartedError("the store has never been started: no port yet")
        return f"mongodb://{LOOPBACK}:{port}/"

    def ready(self) -> bool:
        """Does a query go through the front to the engine and back within a second?"""
        port = self._ports.get("mongodb")
        if port is None or not self.front.running() or not self.engine.running():
            return False
        answer = ask(port, {"count": "ready", "query": {"_id": "x"}, "$db": "mpp_devstack"})
        return answer is not None and answer.get("ok") == 1

    def start(self) -> None:
        if self.ready():
            return
        self.engine.start()
        self.front.start()
        if not processes.wait_until(self.ready, START_TIMEOUT):
            raise StartError(f"the store does not answer; {self.engine.part.log}:\n{self.engine.part.log_tail()}")

    def stop(self) -> None:
        self.front.stop()
        self.engine.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill(self) -> None:
        """SIGKILL PostgreSQL and the front at once."""
        processes.send([*self.engine.pids(), *self.front.pids()], signal.SIGKILL)
        self.engine.kill()
        self.front.kill()

    def freeze(self) -> None:
        self.front.freeze()
        self.engine.freeze()

    def thaw(self) -> None:
        self.engine.thaw()
        self.front.thaw()

    def pids(self) -> list[int]:
        return self.engine.pids() + self.front.pids()


class MongodStore(Process):
    """A `mongod` of this machine as a replica set of one member."""

    kind = "mongod (replica set of one)"

    def __init__(self, home: Path, ports: PortBook, program: str, report: Reporter) -> None:
        super().__init__(Part("mongod", home))
        self._program = program
        self._ports = ports
        self._report = report

    @property
    def uri(self) -> str:
        port = self._ports.get("mongodb")
        if port is None:
            raise NotStartedError("the store has never been started: no port yet")
        return f"mongodb://{LOOPBACK}:{port}/?replicaSet=rs0"

    def ready(self) -> bool:
        port = self._ports.get("mongodb")
        hello = ask(port, {"hello": 1, "$db": "admin"}) if port is not None and self.running() else None
        return hello is not None and bool(hello.get("isWritablePrimary"))

    def start(self) -> None:
        if self.ready():
            return
        self.kill()
        port = self._ports.claim("mongodb")
        data = self.part.home / "store" / f"mongod-{port}"  # a replica set remembers its port
        data.mkdir(parents=True, exist_ok=True)
        command = [self._program, "--dbpath", str(data), "--port", str(port), "--bind_ip", LOOPBACK, "--replSet", "rs0",
                   "--wiredTigerCacheSizeGB", "0.5"]  # fmt: skip
        self._report.step("starting mongod", 0)
        self.part.spawn(command, env=dict(os.environ), cwd=data)
        processes.wait_until(
            lambda: not self.running() or ask(port, {"ping": 1, "$db": "admin"}) is not None, START_TIMEOUT
        )
        members = [{"_id": 0, "host": f"{LOOPBACK}:{port}"}]
        ask(port, bson.SON([("replSetInitiate", {"_id": "rs0", "members": members}), ("$db", "admin")]))
        if not processes.wait_until(lambda: not self.running() or self.ready(), START_TIMEOUT) or not self.ready():
            raise StartError(f"mongod did not start; {self.part.log}:\n{self.part.log_tail()}")
        self._report.step("starting mongod", 100)

    def stop(self) -> None:
        processes.end(self.pids, grace=STOP_TIMEOUT)

    def restart(self) -> None:
        self.stop()
        self.start()


def _socket_folder(home: Path) -> Path:
    """A Unix socket's path has at most 107 bytes: a deep checkout gets its sockets under the temporary directory."""
    inside = home / "store" / "sock"
    if len(str(inside)) <= 85:
        return inside
    name = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"mpp-devstack-{os.geteuid()}-{name}"


def _wanted() -> packages.PackageSet:
    return packages.PackageSet("documentdb", r"postgresql-\d+-documentdb", "forky", lambda name: True, _finish)


def _finish(root: Path, final: Path) -> None:
    binaries = sorted(root.glob("usr/lib/postgresql/*/bin"))[-1]
    version = binaries.parent.name
    programs = [binaries / name for name in ("postgres", "initdb", "pg_ctl", "psql", "pg_isready")]
    packages.relocate(root, final, programs, binaries.parent / "lib")
    control = root / "usr/share/postgresql" / version / "extension" / "postgis.control"
    if not control.exists():  # Debian chooses it by an alternative at installation time
        control.unlink(missing_ok=True)
        control.symlink_to("postgis-3.control")
