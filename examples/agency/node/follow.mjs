// Your own queue: every event that you were granted, from the grant on. What you acknowledge is gone from it.
import amqp from "amqplib";

const connection = await amqp.connect(process.env.AMQP_URI); // amqp://agency.malang.dukcapil:PASSWORD@host:5672/%2F
const channel = await connection.createChannel();
await channel.prefetch(100); // at most 100 messages that you have not acknowledged
await channel.consume(process.env.AMQP_QUEUE, (message) => {
  const { headers } = message.properties;
  console.log(headers["ce-type"], headers["ce-subject"], message.content.toString());
  channel.ack(message); // when your work is done: after a crash the message comes again
});
