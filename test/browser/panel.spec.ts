import { expect, galata, test } from '@jupyterlab/galata';
import { join } from 'node:path';
import { example, fixture, openByDoubleClick, PanelPage, root, traces, upload } from './panel';

// Settings, state and sessions as a user has them.
test.use({ viewport: { width: 1400, height: 960 } });

test.describe('a model opened by double click', () => {
  test('shows what was found, and never travels to the browser', async ({ page, tmpPath }) => {
    const marks = traces(example);
    const holds = (data: Buffer) => marks.some(mark => data.includes(mark));
    const leaks: string[] = [];
    const pending: Promise<void>[] = [];
    const seen: string[] = [];
    page.on('response', response => {
      seen.push(response.url());
      pending.push(
        response.body().then(
          body => {
            if (holds(body)) {
              leaks.push(response.url());
            }
          },
          // Redirects and aborted requests have no body.
          () => undefined
        )
      );
    });
    page.on('websocket', socket =>
      socket.on('framereceived', ({ payload }) => {
        if (holds(Buffer.from(payload))) {
          leaks.push(socket.url());
        }
      })
    );

    await upload(page, tmpPath, example);
    const panel = await openByDoubleClick(page, tmpPath, 'mlp.pt2');
    await panel.settled();

    await expect(panel.headline).toHaveText(
      '4 weight casts move 386.3 KiB on every forward; ahead of time: none.'
    );
    const casts = panel.table('Weight casts');
    await expect(casts.getByRole('row')).toHaveCount(5);
    await expect(casts.getByRole('row', { name: /sub\.linear1\.weight/ })).toContainText(
      'float32 → bfloat16'
    );
    await expect(panel.table('Autocast regions').getByRole('row')).toHaveCount(2);
    await expect(panel.grid).toBeVisible();

    await Promise.all(pending);
    expect(seen.filter(url => url.includes('mlp.pt2'))).not.toHaveLength(0);
    expect(leaks).toEqual([]);
    await panel.screenshot('panel-light.png');
  });

  test('plans at once, runs on demand, and proves the difference', async ({ page, tmpPath }) => {
    await upload(page, tmpPath, example);
    const panel = await openByDoubleClick(page, tmpPath, 'mlp.pt2');
    await panel.settled();
    await expect(panel.mode('off')).toBeChecked();
    await expect(panel.figure('exported')).toHaveText('4');
    await expect(panel.figure('planned')).toHaveText('4');

    await panel.mode('folded').click();
    await expect(panel.mode('folded')).toBeChecked();
    await expect(panel.figure('planned')).toHaveText('0');
    await expect(panel.figure('exported')).toHaveText('4');
    await expect(panel.figure('executed')).toHaveText('–');

    await panel.compare();
    await expect(panel.variant('off', 'executed')).toHaveText('4');
    for (const cache of ['folded', 'frozen']) {
      await expect(panel.variant(cache, 'planned')).toHaveText('0');
      await expect(panel.variant(cache, 'executed')).toHaveText('0');
    }
    for (const cache of ['autocast', 'folded', 'frozen']) {
      await expect(panel.variant(cache, 'identical')).toHaveText('identical');
    }
    await expect(panel.figure('executed')).toHaveText('0');
    await expect(panel.panel.locator('[data-census=executed]')).toContainText(
      'CPUExecutionProvider'
    );
    await panel.screenshot('variants.png');

    await panel.mode('off').click();
    await panel.tool('run').click();
    await expect(panel.table('Outputs').getByRole('row')).toHaveCount(2);
    await expect(panel.figure('executed')).toHaveText('4');
  });

  test('shows statistics that can be scrolled, sorted and read', async ({ page, tmpPath }) => {
    await upload(page, tmpPath, fixture('bert', 'model.pt2'), 'bert.pt2');
    const panel = await openByDoubleClick(page, tmpPath, 'bert.pt2');
    await panel.settled();
    await panel.grid.scrollIntoViewIfNeeded();
    await panel.screenshot('stats.png');

    const foot = panel.panel.locator('.castlens-Section-foot');
    const look = () => panel.grid.screenshot();
    const before = await look();
    await panel.grid.hover();
    await page.mouse.wheel(0, 240);
    await expect.poll(async () => (await look()).equals(before)).toBe(false);
    const scrolled = await look();
    await page.mouse.wheel(400, 0);
    await expect.poll(async () => (await look()).equals(scrolled)).toBe(false);

    await panel.grid.click({ position: { x: 300, y: 100 } });
    await expect(foot).toContainText('float32');
    const described = await foot.textContent();
    await page.keyboard.press('ArrowDown');
    await expect(foot).not.toHaveText(described ?? '');

    await panel.panel.getByLabel('Sort by').selectOption('count');
    await panel.panel.getByRole('button', { name: 'Ascending' }).click();
    await panel.grid.click({ position: { x: 300, y: 40 } });
    await page.keyboard.press('Control+Home');
    await expect(foot).not.toHaveText('');
  });
});

test('summarises activations on demand, and goes back to the weights', async ({
  page,
  tmpPath
}) => {
  await upload(page, tmpPath, fixture('seed-mlp', 'model.pt2'), 'mlp.pt2');
  const panel = await openByDoubleClick(page, tmpPath, 'mlp.pt2');
  await panel.settled();
  const kind = (name: string) => panel.panel.getByRole('radio', { name, exact: true });
  await kind('Weights').focus();
  await page.keyboard.press('ArrowRight');
  await expect(kind('Activations')).toBeFocused();
  await panel.panel.getByRole('button', { name: 'Summarise the values of off' }).click();
  const head = panel.panel.locator('.castlens-Section-statistics .castlens-Section-head');
  await expect(head).toContainText('of a plain forward', { timeout: 60_000 });
  await expect(panel.error).toBeHidden();
  await expect(panel.grid).toBeVisible();
  await panel.grid.click({ position: { x: 300, y: 60 } });
  const foot = panel.panel.locator('.castlens-Section-foot');
  await expect(foot).toContainText('signal to noise');
  await panel.panel.getByLabel('Sort by').selectOption('snr_db');
  await panel.mode('frozen').click();
  await expect(head.getByRole('button', { name: 'Summarise those of frozen' })).toBeVisible();
  await kind('Weights').click();
  await expect(head).toContainText('tensors as stored');
});

test('an .onnx file opens too', async ({ page, tmpPath }) => {
  await upload(page, tmpPath, fixture('seed-mlp', 'model.onnx'), 'mlp.onnx');
  const panel = await openByDoubleClick(page, tmpPath, 'mlp.onnx');
  await panel.settled();
  await expect(panel.headline).toContainText('4 weight casts move 386.3 KiB');
});

test('a model that cannot be run is still explained', async ({ page, tmpPath }) => {
  const foreign = join(root, 'test', 'data', 'pt2', 'foreign.pt2');
  await upload(page, tmpPath, foreign, 'foreign.pt2');
  const panel = await openByDoubleClick(page, tmpPath, 'foreign.pt2');
  await panel.settled();
  await expect(panel.headline).toContainText('4 weight casts move');
  await expect(panel.grid).toBeVisible();
  const unsupported = panel.panel.getByRole('table', { name: 'Unsupported operators' });
  await expect(unsupported).toContainText('mylib.gate.default');
  await expect(unsupported.getByRole('row')).toHaveCount(2);
});

test.describe('a file that cannot be read', () => {
  test('shows its error in the panel, and the kernel lives on', async ({ page, tmpPath }) => {
    await page.contents.uploadContent('no model at all', 'text', `${tmpPath}/bad.pt2`);
    const panel = await openByDoubleClick(page, tmpPath, 'bad.pt2');
    await expect(panel.error).toContainText('The model cannot be read', { timeout: 60_000 });
    await expect(panel.error).toContainText('bad.pt2');
    await expect(panel.error).toContainText('Expected');
    await expect(panel.error).toContainText('Found');

    // A file that is written anew is read without a click.
    await upload(page, tmpPath, example, 'bad.pt2');
    await expect(panel.headline).toBeVisible({ timeout: 10_000 });
    await panel.settled();
    await expect(panel.error).toBeHidden();
    await expect(panel.headline).toContainText('4 weight casts');
  });

  test('can be dismissed', async ({ page, tmpPath }) => {
    await page.contents.uploadContent('', 'text', `${tmpPath}/empty.onnx`);
    const panel = await openByDoubleClick(page, tmpPath, 'empty.onnx');
    await expect(panel.error).toBeVisible({ timeout: 60_000 });
    await panel.error.getByRole('button', { name: 'Dismiss' }).click();
    await expect(panel.error).toBeHidden();
  });
});

test('a file that is exported again while it is open replaces everything shown of the old one', async ({
  page,
  tmpPath
}) => {
  await upload(page, tmpPath, fixture('convnet', 'model.pt2'), 'model.pt2');
  const panel = await openByDoubleClick(page, tmpPath, 'model.pt2');
  await panel.settled();
  await expect(panel.headline).toContainText('7 weight casts');
  await panel.tool('run').click();
  await expect(panel.figure('executed')).toHaveText('7', { timeout: 60_000 });
  await panel.settled();

  await upload(page, tmpPath, example, 'model.pt2');
  await expect(panel.headline).toContainText('4 weight casts', { timeout: 10_000 });
  await expect(panel.figure('exported')).toHaveText('4');
  await expect(panel.figure('planned')).toHaveText('4');
  await expect(panel.figure('executed')).not.toHaveText('7');
  await expect(panel.notice).toContainText('changed and was read again');
  await panel.notice.getByRole('button', { name: 'Dismiss' }).click();
  await expect(panel.notice).toBeHidden();
});

test('a region recorded disabled can be switched on', async ({ page, tmpPath }) => {
  await upload(page, tmpPath, fixture('seed-mlp-cuda-disabled', 'model.pt2'), 'cuda.pt2');
  const panel = await openByDoubleClick(page, tmpPath, 'cuda.pt2');
  await panel.settled();
  await expect(panel.headline).toContainText('recorded as disabled');
  await expect(panel.figure('planned')).toHaveText('0');

  // From the keyboard: the first choice after "as recorded" is "on".
  await panel.region('submod_1').focus();
  await page.keyboard.press('ArrowDown');
  await expect(panel.region('submod_1')).toHaveValue('on');
  await expect(panel.figure('planned')).toHaveText('4');
  await expect(panel.figure('exported')).toHaveText('0');
  await expect(panel.table('Autocast regions')).toContainText('overridden');
  await expect(panel.panel.locator('[data-code=autocast-error]')).toBeVisible();

  await panel.compare();
  await expect(panel.variant('off', 'executed')).toHaveText('4');
  for (const cache of ['autocast', 'folded', 'frozen']) {
    await expect(panel.variant(cache, 'identical')).toHaveText('identical');
  }
  await expect(panel.variant('float32', 'executed')).toHaveText('0');

  // Galata's own wait is for the launcher, which is not there when a panel is restored.
  await page.reload({ waitForIsReady: false } as Parameters<typeof page.reload>[0]);
  const restored = new PanelPage(page, 'cuda.pt2');
  await expect(restored.panel).toBeVisible({ timeout: 60_000 });
  await restored.settled();
  await expect(restored.region('submod_1')).toHaveValue('on');
  await expect(restored.figure('planned')).toHaveText('4');
  await expect(restored.figure('executed')).toHaveText('4');
  await expect(restored.panel.getByRole('img', { name: /median/ })).toHaveAccessibleName(
    /Regions overridden: submod_1=on/
  );

  await restored.panel.getByRole('button', { name: 'Run all as recorded' }).click();
  await expect(restored.region('submod_1')).toHaveValue('recorded');
  await expect(restored.figure('planned')).toHaveText('0');
  await expect(
    restored.panel.getByRole('note').filter({ hasText: 'Compare again to measure' })
  ).toContainText('with no passes, on cpu.');
});

test('a panel survives a reload of the page', async ({ page, tmpPath }) => {
  await upload(page, tmpPath, example);
  const panel = await openByDoubleClick(page, tmpPath, 'mlp.pt2');
  await panel.settled();
  // JupyterLab writes the state of its widgets a moment after it has changed.
  const saved = page.waitForRequest(
    request =>
      request.method() === 'PUT' &&
      request.url().includes('/api/workspaces') &&
      (request.postData() ?? '').includes('"cache":"frozen"')
  );
  await panel.mode('frozen').click();
  await panel.compare();
  await saved;
  const median = await panel.variant('frozen', 'median').textContent();

  // Galata's own wait is for the launcher, which is not there when a panel is restored.
  await page.reload({ waitForIsReady: false } as Parameters<typeof page.reload>[0]);
  const restored = new PanelPage(page, 'mlp.pt2');
  await expect(restored.panel).toBeVisible({ timeout: 60_000 });
  await restored.settled();
  await expect(restored.mode('frozen')).toBeChecked();
  await expect(restored.figure('planned')).toHaveText('0');
  await expect(restored.variant('frozen', 'median')).toHaveText(median ?? '');
  await expect(restored.variant('frozen', 'identical')).toHaveText('identical');
});

test('a panel survives a restart of its kernel', async ({ page, tmpPath }) => {
  await upload(page, tmpPath, example);
  const panel = await openByDoubleClick(page, tmpPath, 'mlp.pt2');
  await panel.settled();
  await panel.mode('folded').click();
  await panel.tool('run').click();
  await expect(panel.figure('executed')).toHaveText('0');

  await panel.tool('restart').click();
  await page.getByRole('button', { name: 'Confirm Kernel Restart' }).click();
  await expect(panel.status).toContainText('Starting the kernel');
  await expect(panel.status).toContainText('Ready to run', { timeout: 60_000 });
  await expect(panel.error).toBeHidden();
  await expect(panel.mode('folded')).toBeChecked();

  await panel.mode('off').click();
  await panel.tool('run').click();
  await expect(panel.figure('executed')).toHaveText('4');
});

test('everything can be done from the keyboard', async ({ page, tmpPath }) => {
  await upload(page, tmpPath, example);
  const panel = await openByDoubleClick(page, tmpPath, 'mlp.pt2');
  await panel.settled();

  // The arrow keys of the toolbar go through the switch, and choose.
  await panel.mode('off').focus();
  await page.keyboard.press('ArrowRight');
  await expect(panel.mode('autocast')).toBeFocused();
  await expect(panel.mode('autocast')).toBeChecked();
  await page.keyboard.press('ArrowRight');
  await expect(panel.mode('folded')).toBeChecked();
  await expect(panel.figure('planned')).toHaveText('0');
  await page.keyboard.press('ArrowDown');
  await expect(panel.mode('frozen')).toBeFocused();
  await expect(panel.mode('frozen')).toBeChecked();

  // At the end of the switch the toolbar goes on to what stands beside it.
  await page.keyboard.press('ArrowRight');
  await expect(panel.panel.getByRole('button', { name: /^Passes: none/ })).toBeFocused();
  await expect(panel.mode('frozen')).toBeChecked();
  await page.keyboard.press('Enter');
  const menu = page.getByRole('menu').last();
  await expect(menu).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  const passes = panel.panel.getByRole('button', { name: /^Passes: 1/ });
  await expect(passes).toBeFocused();
  await expect(panel.panel.locator('[data-pass=share-casts]')).toBeVisible();

  await page.keyboard.press('Alt+Shift+Digit1');
  await expect(panel.mode('off')).toBeChecked();
  await page.keyboard.press('Control+Enter');
  await expect(panel.figure('executed')).toHaveText('4');
});

test('a repaired model is saved beside the model, and opens without weight casts', async ({
  page,
  tmpPath
}) => {
  await upload(page, tmpPath, example);
  const panel = await openByDoubleClick(page, tmpPath, 'mlp.pt2');
  await panel.settled();

  await page.keyboard.press('Control+Shift+S');
  const dialog = page.getByRole('dialog');
  const name = dialog.getByLabel('File name, beside the model');
  await expect(name).toBeFocused();
  await expect(name).toHaveValue('mlp.fixed.pt2');
  const save = dialog.getByRole('button', { name: 'Save' });
  await name.fill('mlp.pt2');
  await expect(save).toBeDisabled();
  await name.fill('mlp.fixed.pt2');
  await expect(save).toBeEnabled();
  await dialog.getByLabel('Also write the PyTorch code: mlp.fixed.py').check();
  await save.click();

  const figures = panel.table('Before and after');
  await expect(figures.getByRole('row', { name: /^Weight casts/ })).toContainText(/4\s*0$/, {
    timeout: 60_000
  });
  await expect(panel.table('Converted weights').getByRole('row')).toHaveCount(5);
  await expect(figures).toBeInViewport();
  await expect(page.locator('.jp-DirListing').getByText('mlp.fixed.pt2')).toBeVisible();
  await expect(page.locator('.jp-DirListing').getByText('mlp.fixed.py')).toBeVisible();

  // Again, under the same names: nothing is replaced without a question, and the answer may be no.
  await panel.tool('save').click();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toContainText(/Replace the file\?.*mlp\.fixed\.pt2/s);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(panel.panel.getByRole('progressbar')).toHaveCount(0);
  await expect(panel.error).toBeHidden();

  await panel.panel.getByRole('button', { name: 'Show PyTorch code' }).click();
  const code = panel.panel.locator('.castlens-Code');
  await expect(code).toContainText('def fold_weight_casts(ep');
  await expect(code).toBeInViewport();

  await panel.panel.getByRole('button', { name: 'Open repaired model' }).click();
  const fixed = new PanelPage(page, 'mlp.fixed.pt2');
  await expect(fixed.headline).toContainText('No weight is cast', { timeout: 60_000 });
  await expect(fixed.figure('exported')).toHaveText('0');
});

test.describe('a long comparison', () => {
  // So many forwards that it cannot be over before it is cancelled, however fast the machine.
  test.use({
    mockSettings: { ...galata.DEFAULT_SETTINGS, 'castlens:plugin': { runs: 10_000 } }
  });

  test('can be cancelled', async ({ page, tmpPath }) => {
    await upload(page, tmpPath, example);
    const panel = await openByDoubleClick(page, tmpPath, 'mlp.pt2');
    await panel.settled();
    await panel.tool('compare').click();
    await expect(panel.status).toContainText('Timing');
    await panel.panel.getByRole('button', { name: 'Cancel' }).click();
    await expect(panel.status).toContainText('Ready to run');
    await expect(panel.error).toBeHidden();
    await expect(panel.table('Variants').locator('[data-column=median]').first()).toHaveText('–');
    await panel.tool('run').click();
    await expect(panel.figure('executed')).toHaveText('4', { timeout: 60_000 });
  });
});

test('a model runs with the weights of another file', async ({ page, tmpPath }) => {
  await upload(page, tmpPath, example);
  await upload(page, tmpPath, fixture('seed-mlp', 'model.core.pt2'), 'weights.pt2');
  await upload(page, tmpPath, fixture('convnet', 'model.pt2'), 'stranger.pt2');
  const panel = await openByDoubleClick(page, tmpPath, 'mlp.pt2');
  await panel.settled();
  const take = async (name: string): Promise<void> => {
    await panel.panel.getByRole('button', { name: 'Take weights from…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(name).click();
    await dialog
      .getByRole('button', { name: 'Select' })
      .or(dialog.getByRole('button', { name: 'Open' }))
      .click();
  };

  await take('stranger.pt2');
  await expect(panel.error).toContainText('These weights cannot be used');
  await expect(panel.error).toContainText('the model has no weight');
  await panel.error.getByRole('button', { name: 'Dismiss' }).click();

  await take('weights.pt2');
  await expect(panel.panel.getByText('weights of weights.pt2')).toBeVisible();
  await panel.tool('run').click();
  await expect(panel.figure('executed')).toHaveText('4');
  await panel.panel.getByRole('button', { name: 'Use its own' }).click();
  await expect(panel.panel.getByText('weights of weights.pt2')).toBeHidden();
});

test('the command palette opens a model', async ({ page, tmpPath }) => {
  await upload(page, tmpPath, example);
  await page.filebrowser.openDirectory(tmpPath);
  await page.keyboard.press('Control+Shift+C');
  await page.locator('.lm-CommandPalette-input').fill('exported model');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByText('mlp.pt2').click();
  await dialog
    .getByRole('button', { name: 'Select' })
    .or(dialog.getByRole('button', { name: 'Open' }))
    .click();
  await new PanelPage(page, 'mlp.pt2').settled();
});

test('dark theme and narrow panels are legible', async ({ page, tmpPath }) => {
  await upload(page, tmpPath, example);
  const panel = await openByDoubleClick(page, tmpPath, 'mlp.pt2');
  await panel.settled();
  await panel.compare();
  const color = () => panel.headline.evaluate(node => getComputedStyle(node).color);
  const grid = await panel.grid.screenshot();
  const light = await color();
  await page.theme.setDarkTheme();
  await expect.poll(color).not.toBe(light);
  await expect.poll(async () => (await panel.grid.screenshot()).equals(grid)).toBe(false);
  await panel.headline.scrollIntoViewIfNeeded();
  await panel.screenshot('panel-dark.png');

  await page.theme.setLightTheme();
  await page.sidebar.close('left');
  await page.setViewportSize({ width: 412, height: 900 });
  const scroller = panel.panel.locator('.castlens-Scroller');
  await expect
    .poll(() => scroller.evaluate(node => node.clientWidth), { message: 'as narrow as it gets' })
    .toBeLessThanOrEqual(412);
  await expect
    .poll(() => scroller.evaluate(node => node.scrollWidth - node.clientWidth))
    .toBeLessThanOrEqual(0);
  await panel.screenshot('panel-narrow.png');
});

test.describe('PyTorch as a runtime', () => {
  test('compiles the example with AOTInductor, and sees its casts go from 4 to 0', async ({
    page,
    tmpPath
  }) => {
    test.setTimeout(360_000);
    await upload(page, tmpPath, example);
    const panel = await openByDoubleClick(page, tmpPath, 'mlp.pt2');
    await panel.settled();
    const runtimes = panel.panel.getByRole('group', { name: 'Runtimes' });
    const aotinductor = runtimes.getByRole('checkbox', { name: 'AOTInductor', exact: true });
    const missing = panel.panel.getByRole('note').filter({ hasText: 'none was found' });
    await expect(aotinductor.and(page.locator(':enabled')).or(missing)).toBeVisible();
    test.skip(await missing.isVisible(), 'no Python with PyTorch was found');

    await aotinductor.check();
    await runtimes.getByRole('checkbox', { name: 'onnxruntime', exact: true }).uncheck();
    for (const mode of ['frozen', 'repaired']) {
      await panel.variant(`AOTInductor ${mode}`, 'cache').getByRole('checkbox').uncheck();
    }
    await panel.tool('compare').click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('mlp.pt2');
    await dialog.getByRole('button', { name: 'Trust and compare' }).click();
    const chart = panel.panel.getByRole('img', { name: /median/ });
    await expect(chart.or(panel.error)).toBeVisible({ timeout: 300_000 });
    await expect(panel.variant('AOTInductor off', 'executed')).toHaveText('4');
    await expect(panel.variant('AOTInductor folded', 'executed')).toHaveText('0');
    await expect(panel.variant('AOTInductor folded', 'at-load')).toHaveText('4');
    await expect(panel.variant('AOTInductor folded', 'identical')).toHaveText('identical');
  });
});
