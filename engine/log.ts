/**
 * JSON lines on standard error; standard output belongs to data. A line is an object and a fixed sentence, so that it can be
 * counted and searched. The only file that imports `pino`.
 */
import { destination, pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino'
import { loggable } from './log-fields.js'

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** `lower_snake` names. Errors and bytes may stand anywhere: they are described, never dumped. */
export type LogFields = Readonly<Record<string, unknown>>

/** `info` is for start, stop and change, never per event. */
export interface Log {
  error(fields: LogFields, sentence: string): void
  warn(fields: LogFields, sentence: string): void
  info(fields: LogFields, sentence: string): void
  debug(fields: LogFields, sentence: string): void
  /** A log whose lines all carry these fields. */
  child(fields: LogFields): Log
}

/** Writes to standard error, at once: the last words of a process that dies are the ones that matter. */
export function createLog(level: LogLevel, stream: DestinationStream = destination({ dest: 2, sync: true })): Log {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return new PinoLog(pino(options, stream))
}

class PinoLog implements Log {
  constructor(private readonly logger: Logger) {}

  error(fields: LogFields, sentence: string): void {
    this.#write('error', fields, sentence)
  }

  warn(fields: LogFields, sentence: string): void {
    this.#write('warn', fields, sentence)
  }

  info(fields: LogFields, sentence: string): void {
    this.#write('info', fields, sentence)
  }

  debug(fields: LogFields, sentence: string): void {
    this.#write('debug', fields, sentence)
  }

  child(fields: LogFields): Log {
    return new PinoLog(this.logger.child(loggable(fields)))
  }

  #write(level: LogLevel, fields: LogFields, sentence: string): void {
    if (this.logger.isLevelEnabled(level)) this.logger[level](loggable(fields), sentence)
  }
}

/** For tests and commands that log nothing. */
export const silentLog: Log = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  child: () => silentLog,
}
