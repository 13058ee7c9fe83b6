// An imported SVG file is its text, as in the JupyterLab build.
module.exports = {
  process: source => ({ code: `module.exports = ${JSON.stringify(source)};` })
};
