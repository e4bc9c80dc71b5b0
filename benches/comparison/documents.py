"""Tables in documents: what stands between two marks is replaced."""
from pathlib import Path


def fill(document, blocks):
    """In `document`, put each block of Markdown between its marks, `<!-- NAME -->` and `<!-- end of NAME -->`."""
    text = Path(document).read_text()
    for name, block in blocks.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        if begin in text and block.strip():  # what was not measured stays as it was
            before, _, rest = text.partition(begin)
            text = f"{before}{begin}\n{block.strip()}\n\n{end}{rest.partition(end)[2]}"
    Path(document).write_text(text)
