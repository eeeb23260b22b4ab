"""What devices wait for over MQTT: `mqtt_bench.py RADSEAL RADSEAL-EDGE [--runs N]`. 100 X-rays (210 MB) and 200 MR slices (26 MB), made
here, lie in the agent's queue; they go through mosquitto with mutual TLS 1.3 into a node, until each was acknowledged: sealed,
durably, receipts kept by the agent. Medians in ms, and the agent's peak of memory. BENCH_DIR names a folder on the disk to measure."""
import argparse
import contextlib
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "system"))
from gateway_bench import make_sets  # noqa: E402
from mqtt import wait_for  # noqa: E402
from mqtt_peer import Broker  # noqa: E402


def prepare(program, scratch):
    home = scratch / "node"
    subprocess.run([program, "init", home, "--mqtt", "--quiet"], check=True)
    subprocess.run([program, "key", "new", "mr-1", "--home", home, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([program, "device", "enrol", "mr-1", "--home", home, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([program, "device", "certificate", "mr-1", "--home", home, "--quiet"], check=True)
    return home


def agent(edge, home, state, target, *arguments):
    certificate = home / "mqtt" / "devices" / "mr-1"
    return [edge, *arguments, "--state", state, "--device", "mr-1", "--key", home / "keys" / "mr-1.key", "--to", target,
            "--node-key", home / "keys" / "log.vkey", "--certificate", f"{certificate}.pem", "--certificate-key",
            f"{certificate}.key", "--authorities", home / "mqtt" / "ca.pem", "--once", "--settle", "0", "--quiet"]


def fill(edge, home, state, folder):
    """Into the queue, with nobody there to send it to."""
    watched = state.with_name("watched")
    shutil.copytree(folder, watched)
    process = subprocess.Popen(agent(edge, home, state, "mqtts://localhost:9", watched), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    wait_for(lambda: not [path for path in watched.iterdir() if path.is_file()], "the queue takes all")
    process.kill()
    process.wait()
    shutil.rmtree(watched)


def cpu_ms(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def once(program, edge, folder, scratch):
    home = prepare(program, scratch)
    fill(edge, home, scratch / "state", folder)
    with Broker(home) as broker:
        server = subprocess.Popen([program, "serve", "--home", home, "--mqtt", f"localhost:{broker.port}", "--quiet"],
                                  stdout=subprocess.DEVNULL)
        wait_for(lambda: broker.clients("radseal-node"), "the node meets the broker")
        time.sleep(0.3)
        start = time.perf_counter()
        sender = subprocess.Popen(agent(edge, home, scratch / "state", f"mqtts://localhost:{broker.port}"),
                                  stdout=subprocess.PIPE, text=True)
        peak = 0
        while sender.poll() is None:
            with contextlib.suppress(OSError, StopIteration, ValueError):
                status = pathlib.Path(f"/proc/{sender.pid}/status").read_text().splitlines()
                peak = int(next(line for line in status if line.startswith("VmHWM")).split()[1])
            time.sleep(0.005)
        took = time.perf_counter() - start
        said, status = sender.stdout.read(), sender.returncode
        spent = [cpu_ms(one.pid) for one in (server, broker.process)]
        server.terminate()
        server.wait()
    assert status == 0, status
    return took * 1000, peak / 1024, f"{said.strip()}; processor: node {spent[0]:.0f} ms, broker {spent[1]:.0f} ms"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("edge")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    program, edge = (pathlib.Path(name).resolve() for name in (options.program, options.edge))
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as base:
        base = pathlib.Path(base)
        make_sets(base)
        for name in ("xray100", "mr200"):
            rows = []
            for _ in range(options.runs):
                with tempfile.TemporaryDirectory(dir=base) as folder:
                    rows.append(once(program, edge, base / name, pathlib.Path(folder)))
            print(f"{name}: {statistics.median(row[0] for row in rows):.0f} ms "
                  f"({', '.join(f'{row[0]:.0f}' for row in rows)}), agent {max(row[1] for row in rows):.1f} MiB; {rows[-1][2]}")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
