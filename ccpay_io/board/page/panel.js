// Each panel shows the SQL of its data, and gives what it shows as a CSV file.

// `sql` returns the statement, `rows` {columns, rows} of what is on the screen now.
function tools(id, { sql, rows }) {
  const panel = find(id);
  const title = panel.querySelector("h2").textContent;
  panel.querySelector(".tools")?.remove();
  if (!Object.keys(facts.sql).length) return;
  const buttons = make("div", { class: "tools" },
    make("button", { type: "button", "aria-label": `SQL of ${title}`, onclick: () => showSql(title, sql()) }, "SQL"),
    make("button", { type: "button", "aria-label": `CSV of ${title}`, onclick: () => saveCsv(id, rows()) }, "CSV"));
  panel.querySelector("h2").after(buttons);
}

function showSql(title, text) {
  const dialog = find("sql");
  find("sql-title").textContent = `SQL: ${title}`;
  dialog.querySelector("pre").textContent = text;
  find("copy").onclick = async () => {
    await copyText(text, dialog.querySelector("pre"));
    find("copy").textContent = "Copied";
  };
  find("copy").textContent = "Copy";
  dialog.showModal();
}

// Pages that were opened from a file may not be given the clipboard: then the text is selected.
async function copyText(text, element) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(element);
    document.execCommand("copy");
  }
}

function csvText({ columns, rows }) {
  const cell = (value) => {
    if (value === null || value === undefined || (typeof value === "number" && Number.isNaN(value))) return "";
    let text = Array.isArray(value) ? value.map((each) => each ?? "").join("; ") : String(value);
    // What a spreadsheet would take for a formula gets an apostrophe in front; a number does not.
    if (/^[=+\-@\t\r]/.test(text) && !/^-?[\d.]+$/.test(text)) text = `'${text}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

function saveCsv(name, content) {
  const url = URL.createObjectURL(new Blob(["\ufeff", csvText(content)], { type: "text/csv" }));
  const link = make("a", { href: url, download: `ccpay-${name}.csv` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// A table of facts as it came, or some of its rows.
function rowsOf(name, entries = facts[name]) {
  const { columns } = facts.tables[name];
  return { columns, rows: entries.map((entry) => columns.map((column) => entry[column])) };
}

const quoted = (text) => `'${String(text).replaceAll("'", "''")}'`;

// The statement of a question with what is chosen on the page filled in.
function sqlOf(name, chosen = {}) {
  const text = facts.sql[name] ?? "";
  return text.replace(/\$(coin|chain|amount)\b/g, (_, what) => chosen[what] ?? "NULL");
}
