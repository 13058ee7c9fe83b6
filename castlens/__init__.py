"""castlens: the JupyterLab extension, its kernel and its command line, packaged for pip."""

try:
    from ._version import __version__
except ImportError:
    # A checkout that has not been built.
    __version__ = "0.0.0.dev0"


def _jupyter_labextension_paths():
    return [{"src": "labextension", "dest": "castlens"}]
