/**
 * What reading one file may cost.
 *
 * A file can describe far more than it holds: deflated records, empty messages and objects, pickles that make a tuple per byte.
 * Everything that is read of one file, archives in archives included, draws on one budget.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../model';

/** Most bytes that all compressed records of one file may have once they are decoded. */
const MAX_DECODED_BYTES = 64 * 1024 ** 2;

/** Most records of all archives in one file: what is known of one takes some 700 bytes. */
const MAX_RECORDS = 250_000;

/**
 * Values of JSON and messages of protobufs, steps of pickles, that any file may have, however small; beyond it, as many as its bytes
 * can stand for in a file as exporters write it.
 */
const FREE_ITEMS = 1_000_000;
const BYTES_PER_ITEM = 8;

/** The budget of one file. Taking more than is left is an error of the file. */
export class ReadBudget {
  constructor(
    /** Absolute path, for errors. */
    private readonly _file: string,
    sizeBytes: number
  ) {
    this._mostItems = FREE_ITEMS + Math.floor(sizeBytes / BYTES_PER_ITEM);
  }

  /** Before a compressed record is decoded: the bytes it will have. */
  takeDecoded(bytes: number, entry: string): void {
    this._decoded += bytes;
    if (!(this._decoded <= MAX_DECODED_BYTES)) {
      throw this._fail(
        'the compressed records of the file are too large',
        entry,
        `at most ${MAX_DECODED_BYTES} bytes in all once they are decoded`,
        `${this._decoded} bytes up to this record`,
        'Records that are stored as they are have no such limit: load the program with torch and save it again with torch.export.save.'
      );
    }
  }

  /** Records of an archive that has been opened. */
  takeRecord(entry: string): void {
    if (++this._records > MAX_RECORDS) {
      throw this._fail(
        'the file has too many records',
        entry,
        `at most ${MAX_RECORDS}`,
        'more',
        'The file is damaged, or no exported model.'
      );
    }
  }

  /** A value, message or step. */
  takeItem(entry: string): void {
    if (++this._items > this._mostItems) {
      throw this._fail(
        'the file describes more than its size allows',
        entry,
        `at most ${this._mostItems} values, as many as the bytes of the file can stand for`,
        'more',
        'The file is damaged, or no exported model.'
      );
    }
  }

  private _fail(
    summary: string,
    entry: string,
    expected: string,
    found: string,
    hint: string
  ): CastlensError {
    return new CastlensError('bad-file', summary, {
      file: this._file,
      entry,
      expected,
      found,
      hint
    });
  }

  private readonly _mostItems: number;
  private _decoded = 0;
  private _records = 0;
  private _items = 0;
}
