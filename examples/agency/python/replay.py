"""A stream again: from `first`, an offset (`1200`), a time (`2026-03-02T08:00:00+07:00`), or only what is `next`."""

import os
import sys
from datetime import datetime

from kombu import Connection

stream, start = sys.argv[1], sys.argv[2]  # public.queue first
offset = int(start) if start.isdecimal() else datetime.fromisoformat(start) if "T" in start else start
connection = Connection(os.environ["AMQP_URI"])
channel = connection.channel()
channel.basic_qos(0, 100, False)  # a stream asks for a limit


def handle(message):  # after a time the whole chunk comes that holds it: look at ce-time where it matters
    print(message.headers["x-stream-offset"], message.headers["ce-time"], message.headers["ce-subject"], flush=True)
    channel.basic_ack(message.delivery_tag)  # asks for the next one; nothing is taken from the stream


channel.basic_consume(stream, callback=handle, arguments={"x-stream-offset": offset})
while True:
    connection.drain_events()
