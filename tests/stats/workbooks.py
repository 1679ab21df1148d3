"""XLSX files as bytes, as a spreadsheet program or an attacker would write them."""

import io
import zipfile

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONSHIPS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
HEADINGS = (
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c>'
    '<c r="C1" t="s"><v>2</v></c><c r="D1" t="s"><v>3</v></c></row>'
)
NAMES = "".join(f"<si><t>{name}</t></si>" for name in ("kpi", "year", "month", "value"))
FIGURE = (
    '<row r="2"><c r="A2" t="s"><v>4</v></c><c r="B2"><v>2020</v></c><c r="C2"><v>1</v></c>'
    '<c r="D2"><v>1.1000000000000001</v></c></row>'
)
COST = "<si><t>co</t><r><t>st</t></r><rPh><t>phonetic</t></rPh></si>"


def workbook(
    sheet_data=HEADINGS + FIGURE, *, strings=NAMES + COST, sheet=None, method=None, **parts
):
    """Return a workbook with `sheet_data` or `sheet`. `parts` replaces other parts by name."""
    content = {
        "_rels/.rels": (
            f'<Relationships {_RELATIONSHIPS}><Relationship Id="rId1" '
            f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets>'
            '<sheet name="Figures" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f"<Relationships {_RELATIONSHIPS}>"
            f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="rId2" Type="{_OFFICE}/sharedStrings" '
            'Target="/xl/sharedStrings.xml"/>'
            f'<Relationship Id="rId3" Type="{_OFFICE}/styles" Target="styles.xml"/>'
            "</Relationships>"
        ),
        "xl/sharedStrings.xml": f"<sst {_MAIN}>{strings}</sst>",
        "xl/worksheets/sheet1.xml": sheet
        or f'<worksheet {_MAIN}><dimension ref="A1:XFD1048576"/><sheetData>{sheet_data}</sheetData>'
        "</worksheet>",
        "xl/styles.xml": "<not read",
        **parts,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method or zipfile.ZIP_DEFLATED) as archive:
        for path, text in content.items():
            archive.writestr(path, text)
    return file.getvalue()
