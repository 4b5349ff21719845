import { isAbsolute } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { MillraceError } from '../core/errors.ts';
import type { BackupStatus } from '../deploy/log-backups.ts';
import { bodyBytes, bodyKind, readObject } from './body.ts';
import type { HttpContext } from './http-context.ts';
import { problemOf } from './problem.ts';
import { invalid } from './query-params.ts';
import { answers, type JsonSchema, query } from './route-schema.ts';

const STATUS: JsonSchema = {
  type: 'object',
  properties: {
    folder: { type: 'string' },
    state: { type: 'string', enum: ['running', 'done', 'failed'] },
    fraction: { type: 'number', description: '0 to 1, of the bytes that are copied' },
    position: { type: 'string', description: 'when done: the backup holds every record before it' },
    segments: { type: 'integer' },
    bytes: { type: 'integer', description: 'of the whole backup' },
    error: { type: 'object', description: 'when failed: the problem' },
  },
};

/** Backups of the log into a folder of the server's machine. */
export function logBackupRoutes(app: FastifyInstance, context: HttpContext): void {
  const { backups, onError, log } = context.ports;

  const report = (error: unknown): string => {
    onError(error, 'backup');
    return 'backup';
  };
  const statusDocument = ({ folder, state, fraction, manifest, error }: BackupStatus) => ({
    folder,
    state,
    fraction,
    ...(manifest === null
      ? {}
      : {
          position: context.token(manifest.position),
          at: new Date(manifest.at).toISOString(),
          segments: manifest.segments.length,
          bytes: [manifest.index, ...manifest.segments].reduce((sum, f) => sum + f.bytes, 0),
        }),
    ...(error === null ? {} : { error: problemOf(error, report).body }),
  });

  app.post(
    '/log/backup',
    {
      schema: {
        summary: 'Begins a backup of the log, while it goes on',
        tags: ['operation'],
        querystring: query({}),
        body: {
          type: 'object',
          required: ['folder'],
          properties: {
            folder: { type: 'string', description: "absolute path on the server's machine" },
            link: { type: 'boolean', description: 'hard links instead of copies, on the disk of the log' },
          },
        },
        response: answers('begun; GET /log/backup tells how far it is', STATUS, '202'),
      },
    },
    async (request, reply) => {
      context.params(request);
      bodyKind(request, false);
      const body = readObject(bodyBytes(request), 'the body', ['folder', 'link']);
      const folder = body.get('folder');
      const link = body.get('link') ?? false;
      if (typeof folder !== 'string' || !isAbsolute(folder))
        throw invalid('"folder" is not an absolute path');
      if (typeof link !== 'boolean') throw invalid('"link" is neither true nor false');
      context.stand(reply, log.end());
      reply.code(202).header('location', '/log/backup');
      return reply.send(statusDocument(backups.start(folder, link)));
    },
  );

  app.get(
    '/log/backup',
    {
      schema: {
        summary: 'How far the last backup is',
        tags: ['operation'],
        querystring: query({}),
        response: answers('the backup', STATUS),
      },
    },
    async (request, reply) => {
      context.params(request);
      context.stand(reply, log.end());
      const { status } = backups;
      if (status === null) {
        throw new MillraceError('not_found', 'no backup was asked for since the server started', {
          hint: 'POST /log/backup begins one',
        });
      }
      return reply.send(statusDocument(status));
    },
  );
}
