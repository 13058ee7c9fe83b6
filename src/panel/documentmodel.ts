/**
 * The document's side of a model file: a name, no content.
 *
 * @packageDocumentation
 */
import { DocumentModel } from '@jupyterlab/docregistry';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import { KERNEL_NAME } from '../protocol';

/** Name of the model factory. */
export const MODEL_FACTORY = 'castlens-model';

/**
 * A document whose content stays on the server.
 *
 * #### Notes
 * `collaborative` makes JupyterLab leave the file alone: it neither saves it nor copies it as a checkpoint when it is
 * opened, which for a model would mean gigabytes.
 */
export class ModelFileModel extends DocumentModel {
  override get collaborative(): boolean {
    return true;
  }

  override get defaultKernelName(): string {
    return KERNEL_NAME;
  }
}

/**
 * Makes models of documents without fetching files.
 *
 * #### Notes
 * A null `fileFormat` is what makes JupyterLab's context ask the server for the file's metadata alone.
 */
export class ModelFileFactory implements DocumentRegistry.IModelFactory<ModelFileModel> {
  readonly name = MODEL_FACTORY;
  readonly contentType: Contents.ContentType = 'file';
  readonly fileFormat: Contents.FileFormat = null;
  readonly collaborative = false;

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
  }

  createNew(): ModelFileModel {
    return new ModelFileModel();
  }

  preferredLanguage(): string {
    return '';
  }

  private _isDisposed = false;
}
