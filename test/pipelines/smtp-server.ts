import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ReceivedMail {
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

export interface SmtpServer {
  readonly url: string;
  readonly received: readonly ReceivedMail[];
  /** recipients that were asked for, refused ones too */
  readonly asked: readonly string[];
}

/**
 * As much of SMTP (RFC 5321) as a sender needs, over a real socket. `answer`: what RCPT TO is answered, null for yes; an
 * empty answer is none at all.
 */
export async function smtpServer(answer: (asked: number) => string | null = () => null): Promise<SmtpServer> {
  const received: ReceivedMail[] = [];
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.setEncoding('latin1');
    let [from, to, buffer] = ['', '', ''];
    let inData = false;
    const say = (line: string) => socket.write(`${line}\r\n`);
    const command = (line: string) => {
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'MAIL') from = /<(.*?)>/.exec(line)?.[1] ?? '';
      if (verb === 'RCPT') {
        to = /<(.*?)>/.exec(line)?.[1] ?? '';
        const said = answer(asked.push(to));
        if (said !== null) {
          if (said !== '') say(said);
          return;
        }
      }
      if (verb === 'DATA') inData = true;
      say(verb === 'DATA' ? '354 go on' : verb === 'QUIT' ? '221 bye' : '250 ok');
      if (verb === 'QUIT') socket.end();
    };
    socket.on('data', chunk => {
      buffer += chunk;
      for (;;) {
        const end = buffer.indexOf(inData ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const part = buffer.slice(0, end);
        buffer = buffer.slice(end + (inData ? 5 : 2));
        if (!inData) command(part);
        else {
          inData = false;
          received.push({ from, to, text: Buffer.from(part.replace(/^\.\./gm, '.'), 'latin1').toString() });
          say('250 queued');
        }
      }
    });
    say('220 test');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `smtp://127.0.0.1:${port}`, received, asked };
}
