import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';
import { expect } from '@jupyterlab/galata';

/** The repository's root. Playwright runs there. */
export const root = join(__dirname, '..', '..');

/** The example of the original report. */
export const example = join(root, 'examples', 'mlp.pt2');

/** A file of the fixtures. */
export function fixture(...parts: string[]): string {
  return join(root, 'test', 'fixtures', ...parts);
}

/** An open castlens panel, by what a user sees of it. */
export class PanelPage {
  constructor(
    readonly page: IJupyterLabPageFixture,
    readonly name: string
  ) {}

  /** The panel with its toolbar. */
  get panel(): Locator {
    return this.page.locator('.castlens-Document:visible');
  }

  get headline(): Locator {
    return this.panel.getByRole('heading', { level: 1 });
  }

  get error(): Locator {
    return this.panel.getByRole('alert');
  }

  get notice(): Locator {
    return this.panel.locator('.castlens-Notice');
  }

  get status(): Locator {
    return this.panel.getByRole('status');
  }

  /** One of the three censuses: its figure. */
  figure(census: 'exported' | 'planned' | 'executed'): Locator {
    return this.panel.locator(`[data-census=${census}] .castlens-Census-figure`);
  }

  /** What a region is run as. */
  region(id: string): Locator {
    return this.panel.getByRole('combobox', { name: `Run region ${id}`, exact: true });
  }

  mode(name: string): Locator {
    return this.panel.getByRole('radio', { name, exact: true });
  }

  tool(name: string): Locator {
    return this.panel.locator(`[data-jp-item-name=${name}]`).getByRole('button');
  }

  table(name: string): Locator {
    return this.panel.getByRole('table', { name, exact: true });
  }

  /** A cell of the variants' table. */
  variant(cache: string, column: string): Locator {
    return this.table('Variants')
      .getByRole('row', { name: new RegExp(`^${cache}\\b`) })
      .locator(`[data-column=${column}]`);
  }

  /** The drawn statistics. */
  get grid(): Locator {
    return this.panel.getByRole('grid', { name: 'Tensor statistics' });
  }

  /** Compare what is ticked, and wait for the result. */
  async compare(): Promise<void> {
    await this.tool('compare').click();
    const chart = this.panel.getByRole('img', { name: /median/ });
    await expect(chart.or(this.error)).toBeVisible({ timeout: 90_000 });
    await expect(this.error, 'no error instead of a chart').toBeHidden();
  }

  /** Wait until the model was read, planned and summarised. */
  async settled(): Promise<void> {
    await expect(this.headline).toBeVisible({ timeout: 60_000 });
    await expect(this.grid).toBeVisible({ timeout: 60_000 });
    await expect(this.panel.getByRole('progressbar')).toHaveCount(0);
  }

  /** Save a screenshot for the documentation, where the environment asks for it. */
  async screenshot(file: string): Promise<void> {
    if (process.env.CASTLENS_SCREENSHOTS) {
      await this.page.sidebar.close('left');
      await this.page.screenshot({ path: join(root, 'docs', 'images', file) });
    }
  }
}

/** Put a file into the test's folder on the server, without the browser. */
export async function upload(
  page: IJupyterLabPageFixture,
  folder: string,
  source: string,
  name = basename(source)
): Promise<string> {
  await page.contents.uploadFile(source, `${folder}/${name}`);
  return name;
}

/** Open a file of the folder shown in the file browser by double click. */
export async function openByDoubleClick(
  page: IJupyterLabPageFixture,
  folder: string,
  name: string
): Promise<PanelPage> {
  await page.filebrowser.openDirectory(folder);
  const item = page
    .locator('.jp-DirListing-item')
    .filter({ has: page.getByText(name, { exact: true }) });
  await item.dblclick();
  await expect(page.locator('.castlens-Document:visible')).toBeVisible();
  return new PanelPage(page, name);
}

/**
 * Strings that appear in a response if it holds part of the file: bytes of its largest run of weights, as they are and in
 * base64 of every alignment.
 */
export function traces(file: string): readonly Buffer[] {
  const bytes = readFileSync(file);
  // The middle of the file lies inside a weight.
  const sample = bytes.subarray(bytes.length >> 1, (bytes.length >> 1) + 48);
  const encoded = [0, 1, 2].map(shift => {
    const length = sample.length - shift - ((sample.length - shift) % 3);
    return Buffer.from(sample.subarray(shift, shift + length).toString('base64'));
  });
  return [sample, ...encoded];
}
