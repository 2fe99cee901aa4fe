/* Draws the tables of charts as pictures. Numbers and texts are those of the table; nothing is counted here. */
"use strict";
(() => {
  const language = document.documentElement.lang;
  const css = getComputedStyle(document.documentElement);
  const soft = css.getPropertyValue("--soft");
  const line = css.getPropertyValue("--line");
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;

  for (const plot of document.querySelectorAll(".plot")) draw(plot);

  function draw(plot) {
    const rows = [...document.getElementById(plot.dataset.table).tBodies[0].rows];
    const entries = [...plot.parentElement.querySelectorAll(".legend [data-column]")];
    const cells = entries.map((entry) => rows.map((row) => row.cells[Number(entry.dataset.column) + 1]));
    const values = cells.map((column) => column.map((cell) => (cell.dataset.value === "" ? null : Number(cell.dataset.value))));
    const last = rows.length - 1;
    const chart = new uPlot(
      {
        width: plot.clientWidth,
        height: plot.clientHeight,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
        scales: { x: { time: false, range: [-0.5, last + 0.5] }, y: { range: (_, least, most) => room(plot, least, most) } },
        axes: [below(rows), beside(plot)],
        series: [{}, ...entries.map(serie)],
        hooks: { setCursor: [(one) => tell(plot, rows, entries, cells, one.cursor.idx)] },
      },
      [rows.map((_, place) => place), ...values],
      plot,
    );
    new ResizeObserver(() => chart.setSize({ width: plot.clientWidth, height: plot.clientHeight })).observe(plot);
  }

  function serie(entry) {
    const colour = getComputedStyle(entry.querySelector("i")).backgroundColor;
    if (entry.dataset.draw === "bar") {
      const bars = uPlot.paths.bars({ size: [0.7, 64], radius: 0.12 });
      return { stroke: colour, fill: colour, width: 0, paths: bars, points: { show: false } };
    }
    return { stroke: colour, width: 2, spanGaps: true, points: { size: 5, fill: colour } };
  }

  // shares are close to each other and read against a hundred; everything else begins at nothing
  function room(plot, least, most) {
    if (plot.dataset.unit === "share") return [Math.max(0, Math.floor(least / 10) * 10 - 10), 100];
    return [0, Math.max(most * 1.06, plot.dataset.unit === "count" ? 4 : 1)];
  }

  function below(rows) {
    return {
      font, stroke: soft, grid: { show: false }, ticks: { show: false }, size: 26, space: 62,
      incrs: [1, 2, 3, 4, 5, 7, 10, 14, 15, 30, 60, 120],
      values: (_, splits) => splits.map((place) => (rows[place] ? rows[place].dataset.short : "")),
    };
  }

  function beside(plot) {
    const whole = plot.dataset.unit === "count";
    const form = { notation: "compact", maximumFractionDigits: 1 };
    if (plot.dataset.unit === "money") Object.assign(form, { style: "currency", currency: plot.dataset.currency, minimumFractionDigits: 0 });
    if (plot.dataset.unit === "share") Object.assign(form, { style: "unit", unit: "percent" });
    const numbers = new Intl.NumberFormat(language, form);
    return {
      font, stroke: soft, grid: { stroke: line, width: 1 }, ticks: { show: false }, size: 68, space: 44,
      values: (_, splits) => splits.map((value) => (whole && value % 1 ? "" : numbers.format(value))),
    };
  }

  // while somebody points at a bar the legend says its values, otherwise those of the whole period
  function tell(plot, rows, entries, cells, place) {
    const legend = plot.parentElement.querySelector(".legend");
    legend.querySelector(".where").textContent = place === null || place === undefined ? "" : rows[place].cells[0].textContent;
    entries.forEach((entry, number) => {
      const said = entry.querySelector("strong");
      said.dataset.whole ??= said.textContent;
      said.textContent = place === null || place === undefined ? said.dataset.whole : cells[number][place].textContent;
    });
  }
})();
