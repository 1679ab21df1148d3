/* Draw the figures of a json_script block with uPlot: one line per KPI over the months.

   The color and dash of a line come from its swatch (css/stats.css), so that the headline, the line
   and the theme always match. uPlot uses no animation and no style element. */
"use strict";

(() => {
  const figure = document.querySelector("[data-chart]");
  if (!figure || typeof uPlot === "undefined") return;

  const plot = figure.querySelector("[data-chart-plot]");
  const { months, years, series } = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
  const swatches = [...document.querySelectorAll("[data-swatch]")];
  const DAY = 86_400;
  const MONTH = 30 * DAY;
  const YEAR = 365 * DAY;
  const MONTHS_AND_YEARS = [
    ...[1, 2, 3, 6].map((count) => count * MONTH),
    ...[1, 2, 5, 10, 20, 50, 100, 500, 1000].map((count) => count * YEAR),
  ];
  const seconds = months.map((month) => Date.parse(`${month}-01T00:00:00Z`) / 1000);
  const monthName = new Intl.DateTimeFormat(document.documentElement.lang, {
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });

  /* Return the name of a month, or of the years that a point is the average of. */
  function periodName(index) {
    if (!years) return monthName.format(new Date(seconds[index] * 1000));
    const first = Number(months[index].slice(0, 4));
    return years === 1 ? `${first}, average` : `${first} to ${first + years - 1}, average`;
  }

  const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 15 });
  const shortNumber = new Intl.NumberFormat(document.documentElement.lang, { notation: "compact" });

  function property(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function lineStyle(index) {
    const style = getComputedStyle(swatches[index]);
    const dash = style.strokeDasharray;
    return {
      stroke: style.stroke,
      dash: dash === "none" ? [] : dash.split(",").map((length) => parseFloat(length)),
    };
  }

  function textWidth(texts, font) {
    const context = document.createElement("canvas").getContext("2d");
    context.font = font;
    return Math.ceil(Math.max(0, ...texts.map((text) => context.measureText(text).width)));
  }

  /* Shorten `name` with an ellipsis if it is wider than a quarter of the chart. */
  function shorten(name, font) {
    const maxWidth = plot.clientWidth / 4;
    let text = name;
    while (text.length > 1 && textWidth([text], font) > maxWidth) {
      text = `${text.replace(/…$/, "").slice(0, -1)}…`;
    }
    return text;
  }

  /* Draw the names at the ends of the lines, and move them apart if they would overlap. */
  function drawNames(u, names, size, family) {
    const ratio = uPlot.pxRatio;
    const step = size * 1.3 * ratio;
    const labels = series
      .map(({ values }, index) => {
        const last = values.findLastIndex((value) => value !== null);
        return { name: names[index], color: lineStyle(index).stroke, y: u.valToPos(values[last], "y", true) };
      })
      .sort((one, other) => one.y - other.y);
    labels.forEach((label, index) => {
      if (index > 0) label.y = Math.max(label.y, labels[index - 1].y + step);
    });
    const floor = u.bbox.top + u.bbox.height;
    labels.reverse().forEach((label, index) => {
      const below = index > 0 ? labels[index - 1].y - step : floor;
      label.y = Math.min(label.y, below);
    });
    u.ctx.save();
    u.ctx.font = `600 ${size * ratio}px ${family}`;
    u.ctx.textAlign = "left";
    u.ctx.textBaseline = "middle";
    for (const { name, color, y } of labels) {
      u.ctx.fillStyle = color;
      u.ctx.fillText(name, u.bbox.left + u.bbox.width + 8 * ratio, y);
    }
    u.ctx.restore();
  }

  function tipRow(index, value) {
    const row = document.createElement("p");
    row.className = "chart__tip-row";
    const amount = document.createElement("span");
    amount.className = "chart__tip-value";
    amount.textContent = value === null ? "–" : number.format(value);
    row.append(swatches[index].cloneNode(true), series[index].name, amount);
    row.firstChild.removeAttribute("data-swatch");
    return row;
  }

  const tip = document.createElement("div");
  tip.className = "chart__tip";
  tip.hidden = true;

  function showTip(u) {
    const { idx, left } = u.cursor;
    tip.hidden = idx == null || left < 0;
    if (tip.hidden) return;
    const month = document.createElement("p");
    month.className = "chart__tip-month";
    month.textContent = periodName(idx);
    tip.replaceChildren(month, ...series.map(({ values }, index) => tipRow(index, values[idx])));
    const x = u.over.offsetLeft + u.valToPos(seconds[idx], "x");
    const fits = x + 16 + tip.offsetWidth <= plot.clientWidth;
    const at = fits ? x + 16 : Math.max(0, x - 16 - tip.offsetWidth);
    tip.style.transform = `translate(${at}px, ${u.over.offsetTop + 8}px)`;
  }

  function options() {
    const size = 13;
    const family = property("--font");
    const font = `${size}px ${family}`;
    const muted = property("--muted");
    const rule = { stroke: property("--line"), width: 1 };
    const names = series.map(({ name }) => shorten(name, `600 ${font}`));
    const padding = months.length === 1 ? 20 * DAY : 0; // a single month is centered
    const axis = { stroke: muted, font, ticks: { show: false } };
    return {
      width: plot.clientWidth,
      height: plot.clientHeight,
      padding: [12, textWidth(names, `600 ${font}`) + 16, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
      tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
      scales: {
        x: { range: [seconds[0] - padding, seconds.at(-1) + padding] },
      },
      axes: [
        { ...axis, grid: { show: false }, space: 56, incrs: MONTHS_AND_YEARS },
        {
          ...axis,
          grid: rule,
          values: (u, splits) => splits.map((value) => shortNumber.format(value)),
          size: (u, values) => textWidth(values ?? [], font) + 16,
        },
      ],
      series: [
        {},
        ...series.map(({ name }, index) => ({
          label: name,
          width: 2,
          ...lineStyle(index),
          points: { size: 6, fill: lineStyle(index).stroke, show: months.length === 1 },
        })),
      ],
      hooks: {
        draw: [(u) => drawNames(u, names, size, family)],
        setCursor: [showTip],
      },
    };
  }

  let chart = null;

  function draw() {
    if (chart) chart.destroy();
    chart = new uPlot(options(), [seconds, ...series.map(({ values }) => values)], plot);
    plot.append(tip);
  }

  figure.hidden = false;
  draw();
  new ResizeObserver(() => {
    chart.setSize({ width: plot.clientWidth, height: plot.clientHeight });
  }).observe(plot);
  // A canvas keeps its colors, so the chart is redrawn when the theme changes.
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
