"""Starts a workload on the next wasmCloud host that reports to NATS, as a scheduler does.

Standard input is {"nats": URL, "workload": {...}}. A host may start after the output `listening`; the
last line is the host's response.
"""

import asyncio
import json
import sys
import uuid

import nats

PATIENCE = 30


async def main() -> None:
    asked = json.load(sys.stdin)
    connection = await nats.connect(asked["nats"])
    heartbeats = await connection.subscribe("runtime.operator.heartbeat.*")
    await connection.flush()
    print("listening", flush=True)
    heartbeat = json.loads((await heartbeats.next_msg(timeout=PATIENCE)).data)
    request = {"workloadId": str(uuid.uuid4()), "workload": asked["workload"]}
    subject = f"runtime.host.{heartbeat['id']}.workload.start"
    answer = await connection.request(subject, json.dumps(request).encode(), timeout=PATIENCE)
    print(json.dumps(json.loads(answer.data)), flush=True)
    await connection.close()


asyncio.run(main())
