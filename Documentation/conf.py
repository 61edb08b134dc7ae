# SPDX-License-Identifier: MIT
# Sphinx: "make docs" builds HTML and manual pages from here. No extension and
# no theme is needed beyond what comes with Sphinx.
import re
from pathlib import Path

top = Path(__file__).resolve().parent.parent
m = re.search(r'^VERSION\s*:=\s*(\S+)', (top / 'lib/Makefile').read_text(), re.M)

project = 'aring'
author = 'the authors of aring'
copyright = author
version = release = m.group(1) if m else ''

extensions = []
source_suffix = '.rst'
root_doc = 'index'
language = 'en'
exclude_patterns = ['_build', 'chaos-table.rst']
highlight_language = 'none'
smartquotes = False

html_theme = 'alabaster'
html_theme_options = {
    'description': 'a submission/completion ring behind a device node',
    'page_width': '1040px',
    'body_max_width': '46em',
}
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False

man_pages = [
    ('man/aring.1', 'aring', 'copy files through the ring; see what it can do', author, 1),
    ('man/aring-run.1', 'aring-run', 'run a program of io_uring on the ring', author, 1),
    ('man/aring.4', 'aring', 'shared submission/completion rings', author, 4),
    ('man/libaring.3', 'libaring', "the program's side of an aring", author, 3),
]
man_show_urls = False
