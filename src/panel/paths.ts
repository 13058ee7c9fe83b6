/**
 * What a document's file is called for the kernel.
 *
 * @packageDocumentation
 */
import { PathExt } from '@jupyterlab/coreutils';

/** Where a document is, by JupyterLab's contents manager. */
export interface IDocumentPlace {
  /** Path without the drive. */
  readonly localPath: string;
  /** Name of the drive, `''` for the server's own files. */
  readonly driveName: string;
}

/**
 * The folder the server starts a kernel in for a document.
 *
 * #### Notes
 * For the server's own files that is the file's folder. Drives put their name in front of the path the server is given;
 * no such folder exists, and the server falls back to its root.
 */
export function kernelFolder(place: IDocumentPlace): string {
  return place.driveName === '' ? PathExt.dirname(place.localPath) : '';
}

/** A file beside the document, as the contents manager names it. */
export function siblingPath({ localPath, driveName }: IDocumentPlace, name: string): string {
  const path = PathExt.join(PathExt.dirname(localPath), name);
  return driveName === '' ? path : `${driveName}:${path}`;
}

/** The document's file, as seen from a kernel that was started in `folder`: its base name unless the file has moved since. */
export function requestPath(place: IDocumentPlace, folder: string): string {
  return PathExt.relative(folder, place.localPath);
}
