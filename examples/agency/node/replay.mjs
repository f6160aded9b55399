// A stream again: from `first`, an offset (`1200`), a time (`2026-03-02T08:00:00+07:00`), or only what is `next`.
import amqp from "amqplib";

const [stream, start] = process.argv.slice(2); // public.queue first
const time = { "!": "timestamp", value: Math.floor(Date.parse(start) / 1000) };
const offset = /^\d+$/.test(start) ? Number(start) : start.includes("T") ? time : start;
const connection = await amqp.connect(process.env.AMQP_URI);
const channel = await connection.createChannel();
await channel.prefetch(100); // a stream asks for a limit
await channel.consume(stream, (message) => {
  const { headers } = message.properties; // after a time the whole chunk comes that holds it: look at ce-time
  console.log(headers["x-stream-offset"], headers["ce-time"], headers["ce-subject"]);
  channel.ack(message); // asks for the next one; nothing is taken from the stream
}, { arguments: { "x-stream-offset": offset } });
