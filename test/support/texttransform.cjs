// An imported SVG or Python file is its text, as in the builds.
module.exports = {
  process: source => ({ code: `module.exports = ${JSON.stringify(source)};` })
};
