"""Your own queue: every event that you were granted, from the grant on. What you acknowledge is gone from it."""

import json
import os

from kombu import Connection

connection = Connection(os.environ["AMQP_URI"])  # amqp://agency.malang.dukcapil:PASSWORD@host:5672/%2F
channel = connection.channel()
channel.basic_qos(0, 100, False)  # at most 100 messages that you have not acknowledged


def handle(message):
    print(message.headers["ce-type"], message.headers["ce-subject"], json.loads(message.body), flush=True)
    channel.basic_ack(message.delivery_tag)  # when your work is done: after a crash the message comes again


channel.basic_consume(os.environ["AMQP_QUEUE"], callback=handle)
while True:
    connection.drain_events()
