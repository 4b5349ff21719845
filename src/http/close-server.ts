import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

const LOOK_EVERY = 20;

/**
 * Gives how to close a server that does not listen yet. Node waits for connections whose answer was on its way when the
 * closing began (a client keeps them for more than a minute), and for those on which no request has come yet, as browsers
 * open them ahead: nobody is waiting there, so they are closed.
 */
export function serverCloser(app: FastifyInstance): () => Promise<void> {
  const silent = new Set<Socket>();
  app.server.on('connection', socket => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  app.server.on('request', ({ socket }) => silent.delete(socket));
  app.server.on('upgrade', ({ socket }) => silent.delete(socket));
  return async () => {
    const looking = setInterval(() => {
      app.server.closeIdleConnections();
      for (const socket of silent) socket.destroy();
    }, LOOK_EVERY);
    try {
      await app.close();
    } finally {
      clearInterval(looking);
    }
  };
}
