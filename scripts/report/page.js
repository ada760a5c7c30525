"use strict";
// The page: the data that stands in it, as text and charts. Text of the exports reaches the
// document by textContent and canvases only.

const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const main = document.getElementById("main");
const DAY = 86400000;
const NOTHING = "–";
const LENGTHS = { 7: 7, 28: 28, 90: 90, all: Infinity };
const BADGES = {
  better: "Better", worse: "Worse", none: "No difference shown", underpowered: "Underpowered",
  few: "Not enough users", broken: "Broken split",
};
const REASONS = {
  invalid_utf8: "not UTF-8", not_json: "not JSON", not_object: "not a JSON object",
  no_app_token: "no app token", no_event_type: "no event type", bad_inserted_at: "no usable time",
};
const STATUSES = { over_budget: "over the error budget" };
let charts = [];

// ---------- text

function number(value, digits = 0) {
  if (value === null || value === undefined) return NOTHING;
  const text = value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return text.replace(/^-(?=[0.]*$)/, "").replace("-", "−");
}

function percent(value, digits = 1) {
  return value === null || value === undefined ? NOTHING : `${number(100 * value, digits)}\u00a0%`;
}

function duration(seconds) {
  if (seconds === null) return NOTHING;
  for (const [unit, size] of [["days", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= size) return `${number(seconds / size, 1)}\u00a0${unit}`;
  }
  return `${number(seconds)}\u00a0s`;
}

function day(iso, options = { day: "numeric", month: "short", year: "numeric" }) {
  if (!iso) return NOTHING;
  return new Date(`${iso}T00:00:00Z`).toLocaleDateString("en-GB", { timeZone: "UTC", ...options });
}

function month(period) {
  return day(`${period}-01`, { month: "short", year: "numeric" });
}

function plural(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

function probability(value) {
  if (value === null) return NOTHING;
  return value < 0.001 ? "< 0.001" : value.toFixed(3);
}

/** The first date of a period; before every date where it has no beginning. */
function firstDate(period) {
  if (period === "all") return "";
  return new Date(Date.parse(`${data.as_of_date}T00:00:00Z`) - (LENGTHS[period] - 1) * DAY).toISOString().slice(0, 10);
}

function periodName(period) {
  return period === "all" ? "All time" : `Last ${period} days`;
}

// ---------- elements

function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Text of the exports, which keeps its direction to itself. */
function name(text) {
  return el("bdi", {}, text ?? NOTHING);
}

function soft(...text) {
  return el("p", { class: "soft" }, ...text);
}

/** Says that there are more than is shown; null where there are not. */
function theFirst(shown, total, what) {
  return total > shown.length ? soft(`The first ${number(shown.length)} of ${number(total)} ${what}.`) : null;
}

function bar(share, isWorst = false) {
  const filled = el("i");
  filled.style.width = `${Math.min(100, Math.max(0, 100 * share)).toFixed(2)}%`;
  return el("span", { class: isWorst ? "track worst" : "track", "aria-hidden": "true" }, filled);
}

// Classes of columns: numbers, and bars that only repeat a number.
const N = "n";
const BAR = "bar";

/** A table; a column is [heading, class, cell of a row]. The first heads its row. */
function table(caption, columns, rows) {
  const cell = (column, row, index) => {
    const content = column[2](row);
    const attributes = { class: column[1] || null, "aria-hidden": column[1] === BAR && "true" };
    if (index === 0) attributes.scope = "row";
    return el(index === 0 ? "th" : "td", attributes, content);
  };
  const body = rows.map((row) => el("tr", {}, ...columns.map((column, index) => cell(column, row, index))));
  const heads = columns.map((column) => el("th", { scope: "col", class: column[1] || null, "aria-hidden": column[1] === BAR && "true" }, column[0]));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("caption", {}, caption), el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...body)));
}

/** The numbers of a chart, made when they are asked for. */
function numbers(caption, columns, rows) {
  const details = el("details", { "data-caption": caption }, el("summary", {}, "The numbers"));
  details.addEventListener("toggle", () => {
    if (details.childElementCount === 1) details.append(table(caption, columns, rows));
  });
  return details;
}

function card(title, ...children) {
  return el("article", { class: "card" }, title === null ? null : el("h3", {}, title), ...children);
}

/** Cards side by side; `isUneven` packs cards of different heights. */
function cards(items, { isUneven = false, total = items.length, what = "" } = {}) {
  const grid = el("div", { class: isUneven && items.length > 1 ? "columns" : "cards" }, ...items);
  return [grid, theFirst(items, total, what)];
}

function section(id, title, scope, ...children) {
  const heading = el("h2", { id: `${id}-title` }, title);
  const chip = scope && el("span", { class: scope.follows ? "scope follows" : "scope" }, scope.text);
  return el("section", { id, "aria-labelledby": `${id}-title` },
    el("div", { class: "heading" }, heading, chip), ...children.flat());
}

function nothing(text) {
  return el("p", { class: "card soft" }, text);
}

// ---------- charts

/** A colour of the style sheet, as the theme has it. */
function color(variable, alpha = 1) {
  const probe = el("span");
  probe.style.color = `var(--${variable})`;
  document.body.append(probe);
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g);
  probe.remove();
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

function axis(more = {}) {
  const { ticks = {}, ...rest } = more;
  return {
    border: { display: false }, grid: { color: color("line"), drawTicks: false }, beginAtZero: true,
    ticks: { color: color("soft"), padding: 6, maxTicksLimit: 6, ...ticks }, ...rest,
  };
}

function categories(more = {}) {
  const { ticks = {}, ...rest } = more;
  return { ...axis(), grid: { display: false }, ticks: { color: color("soft"), maxRotation: 0, autoSkipPadding: 18, ...ticks }, ...rest };
}

/** A chart in a box. `label` says in words what it shows; the numbers stand below it. */
function chart(label, config, { isLow = false, height = null } = {}) {
  const canvas = el("canvas", { role: "img", "aria-label": label });
  const box = el("div", { class: isLow ? "chart low" : "chart" }, canvas);
  if (height) box.style.height = height;
  const options = config.options ?? {};
  charts.push([canvas, {
    ...config,
    options: {
      responsive: true, maintainAspectRatio: false, animation: false,
      interaction: { mode: "index", intersect: false, axis: options.indexAxis ?? "x" },
      ...options,
      plugins: {
        legend: {
          display: config.data.datasets.length > 1, position: "top", align: "start",
          labels: { color: color("ink"), boxWidth: 10, boxHeight: 10, usePointStyle: true, pointStyle: "rectRounded", padding: 12 },
        },
        ...options.plugins,
        tooltip: {
          backgroundColor: color("ink"), titleColor: color("card"), bodyColor: color("card"),
          padding: 10, cornerRadius: 8, boxPadding: 4, usePointStyle: true, ...options.plugins?.tooltip,
        },
      },
    },
  }]);
  return box;
}

function line(label, values, variable, more = {}) {
  return {
    label, data: values, borderColor: color(variable), backgroundColor: color(variable), borderWidth: 2,
    pointRadius: values.length > 1 ? 0 : 4, pointHoverRadius: 4, ...more,
  };
}

function bars(label, values, variable, more = {}) {
  return { label, data: values, backgroundColor: color(variable), borderRadius: 2, maxBarThickness: 28, ...more };
}

/** Clip a label for an axis; the numbers below the chart have it whole. */
function clipped(text, length = innerWidth < 640 ? 16 : 30) {
  const letters = [...text];
  return letters.length > length ? `${letters.slice(0, length - 1).join("")}…` : text;
}

// ---------- series

/** The days of the period, of the app's daily series. */
function seriesOf(app, period) {
  const count = app.days.dau.length;
  const start = Math.max(0, count - LENGTHS[period]);
  const first = Date.parse(`${app.days.first_date}T00:00:00Z`);
  const series = { dates: [] };
  for (let index = start; index < count; index += 1) {
    series.dates.push(new Date(first + index * DAY).toISOString().slice(0, 10));
  }
  for (const [column, values] of Object.entries(app.days)) {
    if (Array.isArray(values)) series[column] = values.slice(start);
  }
  series.labels = series.dates.map((date) => day(date, { day: "numeric", month: "short" }));
  return series;
}

/** Daily numbers as a table, the latest first. */
function dailyNumbers(caption, series, columns) {
  const rows = series.dates.map((_, index) => series.dates.length - 1 - index);
  return numbers(caption, [
    ["Date", "", (index) => series.dates[index]],
    ...columns.map(([heading, column, text = number]) => [heading, N, (index) => text(series[column][index])]),
  ], rows);
}

function spark(values) {
  const top = Math.max(...values, 0) || 1;
  const points = values.map((value, index) => `${(100 * index / (values.length - 1)).toFixed(2)} ${(30 - 28 * (value ?? 0) / top).toFixed(2)}`);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = (kind, d) => {
    const element = document.createElementNS(svg.namespaceURI, "path");
    element.setAttribute("class", kind);
    element.setAttribute("d", d);
    svg.append(element);
  };
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 100 30");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  path("under", `M0 30L${points.join("L")}L100 30Z`);
  path("over", `M${points.join("L")}`);
  return svg;
}

// ---------- sections

function figure(label, id, value, change, values) {
  const tile = el("div", { class: "card figure" }, el("dt", {}, label),
    el("dd", {}, el("div", { class: "value", id: `figure-${id}` }, ...value), change));
  if (values && values.length > 1) tile.append(spark(values));
  return tile;
}

function changed(now, before, period, points = false) {
  if (period === "all") return null;
  const than = `the ${period} days before`;
  if (before === null || before === undefined || now === null) {
    return el("div", { class: "change" }, `not all of ${than} is in the data`);
  }
  if (!points && before === 0) return el("div", { class: "change" }, `none in ${than}`);
  const change = points ? now - before : now / before - 1;
  const size = points ? `${number(Math.abs(100 * change), 1)} points` : percent(Math.abs(change), 0);
  const isSame = Number(Math.abs(100 * change).toFixed(points ? 1 : 0)) === 0;
  const direction = isSame ? "same" : change > 0 ? "up" : "down";
  const text = isSame ? "unchanged" : `${change > 0 ? "▲" : "▼"} ${size}`;
  const hidden = isSame ? "" : change > 0 ? "up " : "down ";
  return el("div", { class: `change ${direction}`, "aria-label": `${hidden}${isSame ? text : size} on ${than}` },
    el("b", {}, text), ` on ${than}`);
}

function npsChange(now, before, period) {
  if (period === "all" || !now) return null;
  if (!before) return el("div", { class: "change" }, `nothing to compare with in the ${period} days before`);
  const change = now.nps - before.nps;
  const isChance = Math.abs(change) <= Math.hypot(now.margin, before.margin);
  const text = `${change < 0 ? "" : "+"}${number(change)} on the ${period} days before, `;
  return el("div", { class: `change ${isChance ? "same" : change > 0 ? "up" : "down"}` }, text,
    el("b", {}, isChance ? "within chance" : "more than chance"));
}

function headlines(app, period) {
  const { figures, previous, nps, previous_nps: previousNps } = app.periods[period];
  const series = seriesOf(app, period);
  const before = (key) => (previous ? previous[key] : null);
  const simple = (label, key, values) => figure(label, key, [number(figures[key])], changed(figures[key], before(key), period), values);
  const { stickiness } = figures;
  const tiles = [
    simple("Active users", "active_users", series.dau),
    simple("New users", "new_users", series.new_users),
    figure("Stickiness, DAU / MAU on average", "stickiness", [percent(stickiness)], changed(stickiness, before("stickiness"), period, true), series.stickiness),
    simple("Active companies", "active_companies", series.active_companies),
    simple("Sessions", "sessions", series.sessions),
    simple("Page views", "page_views", series.page_views),
    simple("Events", "events", series.events),
    figure(app.surveys.total > 1 ? `Net Promoter Score: ${app.surveys.rows[0].name}` : "Net Promoter Score", "nps", nps ? [number(nps.nps), el("small", {}, ` ± ${number(nps.margin)}, ${plural(nps.responses, "user")}`)] : [NOTHING],
      nps ? npsChange(nps, previousNps, period) : el("div", { class: "change" }, "no answers"), null),
  ];
  const { users, companies, sessions, events } = app.totals;
  return section("headlines", "Headlines", follows(period), el("dl", { class: "figures" }, ...tiles),
    soft(`Ever seen: ${plural(users, "user")}, ${plural(companies, "company", "companies")}, ${plural(sessions, "session")}, ${plural(events, "event")}`,
      app.first_date ? `, since ${day(app.first_date)}.` : "."));
}

function activity(app, period) {
  const series = seriesOf(app, period);
  const title = "Active users";
  if (!series.dates.length) return section("activity", title, null, nothing("Nobody was active yet."));
  const last = series.dates.length - 1;
  const users = `On ${day(series.dates[last])}: ${number(series.dau[last])} daily, ${number(series.wau[last])} weekly (7 days), ${number(series.mau[last])} monthly (28 days).`;
  const lifecycle = [["New", "new_users", "two"], ["Retained", "retained_users", "one"], ["Resurrected", "resurrected_users", "three"]];
  const volume = [["Page views", "page_views", "one"], ["Interactions", "interactions", "two"], ["Feature uses", "feature_events", "three"], ["Tracked events", "tracked_events", "four"]];
  series.other = series.events.map((count, index) => count - volume.reduce((sum, [, key]) => sum + series[key][index], 0));
  volume.push(["Other", "other", "five"]);
  const stacked = { x: categories({ stacked: true }), y: axis({ stacked: true, ticks: { precision: 0 } }) };
  const cut = app.days.is_cut && period === "all" ? [soft("The charts show the last two years.")] : [];
  return section("activity", title, follows(period),
    card("Daily, weekly and monthly active users", soft(users),
      chart(`Active users by day. ${users}`, {
        type: "line",
        data: { labels: series.labels, datasets: [line("Monthly", series.mau, "three"), line("Weekly", series.wau, "two"), line("Daily", series.dau, "one", { fill: true, backgroundColor: color("one", 0.12) })] },
        options: { scales: { x: categories(), y: axis({ ticks: { precision: 0 } }) } },
      }),
      dailyNumbers("Active users by day", series, [["Daily", "dau"], ["Weekly", "wau"], ["Monthly", "mau"], ["Stickiness", "stickiness", percent]])),
    ...cards([
      card("Stickiness", soft("Share of the month's users who come on a day."),
        chart("Stickiness by day: daily divided by monthly active users.", {
          type: "line",
          data: { labels: series.labels, datasets: [line("DAU / MAU", series.stickiness, "one", { fill: true, backgroundColor: color("one", 0.12) })] },
          options: {
            scales: { x: categories(), y: axis({ ticks: { callback: (value) => percent(value, 0) } }) },
            plugins: { tooltip: { callbacks: { label: (item) => ` ${percent(item.raw)}` } } },
          },
        }, { isLow: true }),
        dailyNumbers("Stickiness by day", series, [["DAU / MAU", "stickiness", percent]])),
      card("Lifecycle", soft("Each day's users: new, there the day before too, or back after a break. Dormant, on the right axis: all who were active before and stayed away."),
        chart("Users by day: new, retained, resurrected as bars, dormant as a line.", {
          type: "bar",
          data: {
            labels: series.labels,
            datasets: [
              ...lifecycle.map(([label, key, variable]) => bars(label, series[key], variable, { stack: "active", order: 1 })),
              line("Dormant (right)", series.dormant_users, "five", { type: "line", yAxisID: "right", borderDash: [4, 3], order: 0 }),
            ],
          },
          options: { scales: { ...stacked, right: axis({ position: "right", grid: { display: false }, ticks: { precision: 0 } }) } },
        }, { isLow: true }),
        dailyNumbers("Lifecycle by day", series, [["New", "new_users"], ["Retained", "retained_users"], ["Resurrected", "resurrected_users"], ["Dormant", "dormant_users"]])),
      card("Events", soft("By type."),
        chart("Events by day and type.", {
          type: "bar",
          data: { labels: series.labels, datasets: volume.map(([label, key, variable]) => bars(label, series[key], variable)) },
          options: { scales: stacked },
        }, { isLow: true }),
        dailyNumbers("Events by day", series, volume.map(([label, key]) => [label, key]))),
    ]), ...cut);
}

function retention(app, period) {
  const scope = follows(period, "by first activity");
  const cells = app.cohorts.filter((cell) => cell.cohort_date >= firstDate(period));
  const curve = app.retention_curve[period];
  if (!cells.length && !curve.length) return section("retention", "Retention", scope, nothing("Nobody was active for the first time in this period."));
  const weeks = Math.max(...cells.map((cell) => cell.period_n), 0);
  const cohorts = new Map();
  for (const cell of cells) {
    if (!cohorts.has(cell.cohort_date)) cohorts.set(cell.cohort_date, []);
    cohorts.get(cell.cohort_date)[cell.period_n] = cell;
  }
  const top = Math.max(...cells.filter((cell) => cell.period_n > 0).map((cell) => cell.rate ?? 0), 0.01);
  const steps = Array.from({ length: weeks }, (_, index) => index + 1);
  const rows = [...cohorts].map(([date, weeksOf]) => el("tr", {},
    el("th", { scope: "row" }, day(date, { day: "numeric", month: "short" })),
    el("td", { class: "none" }, number(weeksOf[0]?.cohort_users)),
    ...steps.map((week) => {
      const cell = weeksOf[week];
      if (!cell || cell.rate === null) return el("td", { class: "none" });
      const words = `${number(cell.retained_users)} of ${number(cell.eligible_users)} users${cell.is_open ? ", week not over" : ""}`;
      const box = el("td", { class: cell.is_open ? "open" : null, title: words }, percent(cell.rate, 0));
      box.style.setProperty("--rate", (cell.rate / top).toFixed(3));
      return box;
    })));
  const heads = ["Week of", "Users", ...steps.map((week) => `+${week}`)].map((text) => el("th", { scope: "col" }, text));
  const heat = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Retention by weekly cohort" },
    el("table", { class: "heat" }, el("caption", {}, "Share of each weekly cohort that is active so many weeks later"),
      el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows)));
  const first = curve[0] ? ` ${percent(curve[0].rate)} on day 1` : "";
  const last = curve.length > 1 ? `, ${percent(curve[curve.length - 1].rate)} on day ${curve[curve.length - 1].day_n}` : "";
  const which = `${period === "all" ? "The latest weeks" : "Weeks that begin in the period"}. Share of those first active in a week who are active again so many weeks later. `;
  const note = weeks ? "Dashed: the week is not over." : "No later week has begun: longer periods show more.";
  return section("retention", "Retention", scope,
    cells.length ? card("Weekly cohorts", soft(which, note), heat) : null,
    curve.length ? card("Day by day", soft("Share of users active exactly so many days after their first, of all whose day has come."),
      chart(`Retention by day:${first}${last}.`, {
        type: "line",
        data: { labels: curve.map((row) => row.day_n), datasets: [line("Active", curve.map((row) => row.rate), "one", { fill: true, backgroundColor: color("one", 0.12) })] },
        options: {
          scales: { x: categories({ title: { display: true, text: "days after the first", color: color("soft") } }), y: axis({ ticks: { callback: (value) => percent(value, 0) } }) },
          plugins: { tooltip: { callbacks: { title: (items) => `Day ${items[0].label}`, label: (item) => ` ${percent(item.raw)}` } } },
        },
      }, { isLow: true }),
      numbers("Retention by day", [["Day", "", (row) => String(row.day_n)], ["Rate", N, (row) => percent(row.rate)], ["Active", N, (row) => number(row.retained_users)], ["Of", N, (row) => number(row.eligible_users)]], curve)) : null);
}

function funnels(app, period) {
  const { rows, total } = app.funnels[period];
  const items = rows.map((funnel) => {
    const steps = funnel.steps.map((step, index) => {
      const before = index ? funnel.steps[index - 1].users : null;
      const isWorst = index === funnel.worst_step;
      const lost = before === null ? null : before === 0 ? "nobody was left" : `${number(before - step.users)} lost (${percent((before - step.users) / before, 0)} of the step before)${isWorst ? ", the biggest drop" : ""}`;
      const time = step.median_seconds === null ? "" : `; median time ${duration(step.median_seconds)}`;
      return el("li", {},
        el("div", { class: "step" }, name(step.step_name), el("span", {}, el("b", {}, number(step.users)), el("small", {}, ` ${percent(step.conversion_from_first, 0)}`))),
        bar(step.conversion_from_first ?? 0, isWorst),
        lost && el("small", { class: isWorst ? "worst-text" : null }, lost + time));
    });
    return card(name(funnel.name), el("ol", { class: "steps" }, ...steps), theFirst(steps, funnel.steps_total, "steps"), numbers("Steps of the funnel", [
      ["Step", "", (step) => name(step.step_name)], ["Users", N, (step) => number(step.users)], ["Of the first", N, (step) => percent(step.conversion_from_first)],
      ["Of the one before", N, (step) => percent(step.conversion_from_previous)], ["Median time", N, (step) => duration(step.median_seconds)], ["90 % within", N, (step) => duration(step.p90_seconds)],
    ], funnel.steps));
  });
  return section("funnels", "Funnels", follows(period, "by entry"),
    items.length ? cards(items, { isUneven: true, total, what: "funnels, by users who entered" }).concat(upToNow(period))
      : nothing("Nobody entered a funnel in this period. Funnels are rows of seeds/funnels.csv."));
}

function flows(app, period) {
  const { rows, total } = app.flows[period];
  const scope = follows(period, "by the day a user first saw the flow");
  if (!rows.length) return section("flows", "Flows", scope, nothing("Nobody saw a flow for the first time in this period."));
  const shown = table("Flows", [
    ["Flow", "", (flow) => name(flow.name)], ["Users who saw it", N, (flow) => number(flow.shown_users)], ["Completed", N, (flow) => number(flow.completed_users)],
    ["Completion", N, (flow) => percent(flow.completion_rate)], ["", BAR, (flow) => bar(flow.completion_rate ?? 0)], ["Dismissed", N, (flow) => number(flow.dismissed_users)], ["Median time", N, (flow) => duration(flow.median_seconds)],
  ], rows);
  const items = rows.filter((flow) => flow.steps.length > 1).map((flow) => {
    const top = Math.max(...flow.steps.map((step) => Math.max(step.seen_users, step.completed_users)), 1);
    const steps = flow.steps.map((step, index) => {
      const before = index ? flow.steps[index - 1].seen_users : null;
      const isWorst = index === flow.worst_step;
      const lost = !before || step.dropped_users === null ? ""
        : step.dropped_users < 0 ? `${number(-step.dropped_users)} more than at the step before; `
          : `${number(step.dropped_users)} dropped off (${percent(step.dropped_users / before, 0)} of the step before)${isWorst ? ", the biggest drop" : ""}; `;
      return el("li", {}, el("div", { class: "step" }, name(step.name), el("b", {}, number(step.seen_users))),
        bar(step.seen_users / top, isWorst),
        el("small", { class: isWorst ? "worst-text" : null }, `${lost}${number(step.completed_users)} completed it`));
    });
    return card(name(flow.name), el("ol", { class: "steps" }, ...steps), theFirst(steps, flow.steps_total, "steps"), numbers("Steps of the flow", [
      ["Step", "", (step) => name(step.name)], ["Saw it", N, (step) => number(step.seen_users)], ["Completed", N, (step) => number(step.completed_users)], ["Dropped off", N, (step) => number(step.dropped_users)],
    ], flow.steps));
  });
  return section("flows", "Flows", scope, card(null, shown, theFirst(rows, total, "flows, by users who saw them")), ...cards(items, { isUneven: true }), ...upToNow(period));
}

function nps(app, period) {
  const { rows, total: surveys } = app.surveys;
  const items = rows.filter((survey) => survey.scores[period]).map((survey) => {
    const months = survey.months.filter((row) => row.period >= firstDate(period).slice(0, 7));
    const total = survey.scores[period];
    const asked = total.response_rate === null ? "" : `, ${percent(total.response_rate, 0)} of those who were asked`;
    const bounds = months.map((row) => [Math.max(-100, row.nps - row.margin), Math.min(100, row.nps + row.margin)]);
    const words = months.map((row) => `${month(row.period)}: ${number(row.nps)} plus or minus ${number(row.margin)}`).join("; ");
    return card(el("span", {}, name(survey.name), ` · ${number(total.nps)} ± ${number(total.margin)}`),
      soft(`The latest answer of ${plural(total.responses, "user")}${asked}. By month, whole months: the bar is the 95 % margin, and months whose bars overlap much may differ by chance.`),
      months.length ? chart(`Net Promoter Score by month. ${words}.`, {
        type: "bar",
        data: {
          labels: months.map((row) => month(row.period)),
          datasets: [
            line("NPS", months.map((row) => row.nps), "one", { type: "line", pointRadius: 5, pointHoverRadius: 6, order: 0 }),
            bars("95 % margin", bounds, "one", { backgroundColor: color("one", 0.22), barThickness: 16, borderRadius: 8, borderSkipped: false, order: 1 }),
          ],
        },
        options: {
          scales: { x: categories(), y: axis({ suggestedMax: 50, suggestedMin: 0 }) },
          plugins: { tooltip: { callbacks: { label: (item) => {
            const row = months[item.dataIndex];
            return item.datasetIndex ? ` ${number(bounds[item.dataIndex][0])} to ${number(bounds[item.dataIndex][1])}` : ` ${number(row.nps, 1)}, ${plural(row.responses, "response")}`;
          } } } },
        },
      }) : null,
      numbers("Net Promoter Score by month", [
        ["Month", "", (row) => row.period], ["NPS", N, (row) => number(row.nps, 1)], ["Margin", N, (row) => `± ${number(row.margin, 1)}`], ["Responses", N, (row) => number(row.responses)],
        ["Promoters", N, (row) => number(row.promoters)], ["Passives", N, (row) => number(row.passives)], ["Detractors", N, (row) => number(row.detractors)], ["Response rate", N, (row) => percent(row.response_rate, 0)],
      ], [...months].reverse()));
  });
  return section("nps", "Net Promoter Score", follows(period, "by answer"),
    items.length ? cards(items, { isUneven: true, total: surveys > rows.length ? surveys : items.length, what: "surveys, by responses" }) : nothing("No answers in this period."));
}

/** The differences to the reference with their intervals; not drawn where the split is broken. */
function intervals(experiment) {
  const compared = experiment.variants.filter((row) => row.difference !== null);
  if (experiment.has_srm || !compared.length) return null;
  const reference = experiment.variants.find((row) => row.is_reference).variant;
  const tones = { better: "two", worse: "four" };
  const tone = compared.map((row) => tones[experiment.conclusions.find((found) => found.variant === row.variant)?.kind] ?? "five");
  const words = compared.map((row) => `${row.variant}: ${number(100 * row.difference, 1)} points, from ${number(100 * row.difference_low, 1)} to ${number(100 * row.difference_high, 1)}`);
  return chart(`Difference to ${reference} in percentage points, with 95 % intervals. ${words.join("; ")}.`, {
    type: "bar",
    data: {
      labels: compared.map((row) => clipped(`${row.variant} − ${reference}`)),
      datasets: [
        { type: "line", label: "Difference", data: compared.map((row) => 100 * row.difference), showLine: false, pointRadius: 6, pointHoverRadius: 7, backgroundColor: tone.map((one) => color(one)), borderColor: color("card"), pointBorderWidth: 2 },
        { label: "95 % interval", data: compared.map((row) => [100 * row.difference_low, 100 * row.difference_high]), backgroundColor: tone.map((one) => color(one, 0.35)), barThickness: 14, borderRadius: 7, borderSkipped: false },
      ],
    },
    options: {
      indexAxis: "y",
      scales: {
        x: axis({ grid: { color: (context) => color(context.tick?.value === 0 ? "soft" : "line"), drawTicks: false }, title: { display: true, text: "percentage points", color: color("soft") } }),
        y: categories(),
      },
      plugins: { legend: { display: false }, tooltip: { callbacks: { label: (item) => {
        const row = compared[item.dataIndex];
        return item.datasetIndex ? ` ${number(100 * row.difference_low, 1)} to ${number(100 * row.difference_high, 1)}` : ` ${number(100 * row.difference, 1)} points`;
      } } } },
    },
  }, { height: `${5 + 2.5 * compared.length}rem` });
}

function experiments(app) {
  const items = app.experiments.rows.map((experiment) => {
    const found = experiment.conclusions.map((one) => el("li", { class: one.kind }, el("span", { class: "badge" }, BADGES[one.kind]), name(one.text)));
    if (!found.length) found.push(el("li", { class: "few" }, el("span", { class: "badge" }, BADGES.few), "Only one variant was seen: there is nothing to compare."));
    const isShown = (row) => row.difference !== null && !experiment.has_srm;
    return card(name(experiment.name), soft(`${plural(experiment.days_running ?? 0, "day")}, ${plural(experiment.variants.reduce((sum, row) => sum + row.clean_users, 0), "user")} compared.`),
      el("ul", { class: "conclusions" }, ...found), ...experiment.caveats.map((text) => el("p", { class: "caveat" }, name(text))),
      intervals(experiment),
      table("Variants", [
        ["Variant", "", (row) => el("span", {}, name(row.variant), row.is_reference ? el("small", {}, row.is_control === null ? " reference" : " control") : null)],
        ["Users", N, (row) => number(row.clean_users)], ["Converted", N, (row) => number(row.converted_users)],
        ["Rate, 95 % interval", N, (row) => el("span", {}, percent(row.conversion_rate), row.conversion_rate_low === null ? null : el("small", {}, `${number(100 * row.conversion_rate_low, 1)} to ${number(100 * row.conversion_rate_high, 1)}`))],
        ["Points, 95 % interval", N, (row) => (isShown(row) ? el("span", {}, number(100 * row.difference, 1), el("small", {}, `${number(100 * row.difference_low, 1)} to ${number(100 * row.difference_high, 1)}`)) : NOTHING)],
        ["p", N, (row) => (experiment.has_srm ? NOTHING : probability(row.holm_p_value))],
      ], experiment.variants));
  });
  return section("experiments", "Experiments", { text: "All time: the statistics hold for the whole run" },
    items.length ? cards(items, { isUneven: true, total: app.experiments.total, what: "experiments, by users" }) : nothing("No experiments yet."));
}

function used(app, period) {
  const active = app.periods[period].figures.active_users;
  const list = (title, what, { rows, total }, variable) => {
    if (!rows.length) return card(title, soft("None in this period."));
    return card(title, soft(`The ${number(rows.length)} of ${number(total)} with most users.`),
      chart(`${title} by users. ${rows.map((row) => `${row.name}: ${number(row.users)}`).join("; ")}.`, {
        type: "bar",
        data: { labels: rows.map((row) => clipped(row.name)), datasets: [bars("Users", rows.map((row) => row.users), variable, { borderRadius: 4, maxBarThickness: 18 })] },
        options: { indexAxis: "y", scales: { x: axis({ ticks: { precision: 0 } }), y: categories({ ticks: { color: color("ink"), autoSkip: false } }) } },
      }, { height: `${3 + 1.75 * rows.length}rem` }),
      numbers(title, [[what, "", (row) => name(row.name)], ["Users", N, (row) => number(row.users)], ["Of active users", N, (row) => percent(active ? row.users / active : null)], ["Events", N, (row) => number(row.events)]], rows));
  };
  return section("features", "Features and events", follows(period), ...cards([
    list("Features", "Feature", app.features[period], "one"), list("Tracked events", "Event", app.tracked_events[period], "two"),
  ]));
}

function companies(app, period) {
  const { rows, total } = app.companies[period];
  if (!rows.length) return section("companies", "Companies", follows(period), nothing("No company had an active user in this period."));
  const top = Math.max(...rows.map((row) => row.active_users), 1);
  return section("companies", "Companies", follows(period), card(null,
    soft(`The ${number(rows.length)} of ${number(total)} with most active users. Users are those that a company has now.`),
    table("Companies", [
      ["Company", "", (row) => name(row.name)], ["Active users", N, (row) => number(row.active_users)], ["", BAR, (row) => bar(row.active_users / top)],
      ["Plan", "", (row) => name(row.plan)], ["Industry", "", (row) => name(row.industry)], ["Users", N, (row) => number(row.users)], ["Events", N, (row) => number(row.events)],
    ], rows)));
}

function quality() {
  const { files, rejected, unknown_values: unknown, removed_events: removed } = data.quality;
  const sum = (key) => files.reduce((total, row) => total + row[key], 0);
  const tiles = [["Lines read", "physical_lines"], ["New events", "new_events"], ["Duplicates", "duplicate_lines"], ["Rejected", "rejected_lines"], ["Removed on request", "removed_events"]];
  const count = (heading, key) => [heading, N, (row) => number(row[key])];
  return section("quality", "Data quality", { text: "All apps, all time" },
    el("dl", { class: "figures small" }, ...tiles.map(([label, key]) => figure(label, key, [number(sum(key))], null))),
    ...cards([
      card("Files and lines", files.length ? table("Files and lines", [
        ["Files", "", (row) => name(STATUSES[row.status] ?? row.status)], count("Number", "files"), count("Lines", "physical_lines"), count("New events", "new_events"),
        count("Duplicates", "duplicate_lines"), count("Rejected", "rejected_lines"), count("Removed", "removed_events"), count("Blank", "blank_lines"),
      ], files) : soft("No files were loaded yet."),
      soft(`${data.quality.future_dated_events === 1 ? "1 event is" : `${number(data.quality.future_dated_events)} events are`} dated in the future: kept and flagged, but left out of the trends. `,
        `${data.quality.duplicate_conflicts === 1 ? "1 event has" : `${number(data.quality.duplicate_conflicts)} events have`} copies that differ: one of them counts, see audit.duplicate_conflicts.`)),
      card("Rejected lines", rejected.length ? table("Rejected lines", [["Reason", "", (row) => el("span", {}, name(REASONS[row.reason] ?? row.reason), " ", el("small", {}, name(row.reason)))], count("Lines", "lines"), count("Files", "files")], rejected) : soft("None."),
        rejected.length ? soft("The lines themselves are in raw.rejected_lines of the build database.") : null),
      card("Unknown values", soft("Kept, though Userpilot does not document them."), unknown.rows.length ? table("Unknown values", [["Field", "", (row) => row.field.replace("_", " ")], ["Value", "", (row) => name(row.value)], count("Events", "events"), ["Last seen", N, (row) => row.last_seen ?? NOTHING]], unknown.rows) : soft("None."), theFirst(unknown.rows, unknown.total, "values")),
      card("Removed events", soft("What your configuration erases or excludes."), removed.rows.length ? table("Removed events", [["App", "", (row) => name(row.app_token)], ["Why", "", (row) => name(row.reason)], ["Rule", "", (row) => name(row.rule)], count("Events", "events"), count("Users", "users")], removed.rows) : soft("None."), theFirst(removed.rows, removed.total, "rules")),
    ], { isUneven: true }));
}

/** Scope of a section that follows the period; `how` says what of a user or an answer must fall into it. */
function follows(period, how = "") {
  return { text: how && period !== "all" ? `${periodName(period)}, ${how}` : periodName(period), follows: true };
}

/** What figures of a shorter period leave out. */
function upToNow(period) {
  return period === "all" ? [] : [soft("What these users did up to now: the later they came, the less time they had.")];
}

// ---------- the page

function render() {
  const focused = document.activeElement?.id;
  const opened = new Set([...main.querySelectorAll("details[open]")].map((one) => one.dataset.caption));
  charts.forEach(([canvas]) => Chart.getChart(canvas)?.destroy());
  charts = [];
  const app = data.apps[Number(document.getElementById("app").value)];
  const period = document.querySelector("input[name=period]:checked").value;
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  main.replaceChildren(headlines(app, period), activity(app, period), retention(app, period), funnels(app, period), flows(app, period),
    nps(app, period), experiments(app), used(app, period), companies(app, period), quality());
  for (const details of main.querySelectorAll("details")) {
    // A filter does not close what was opened.
    details.open = opened.has(details.dataset.caption);
  }
  charts.forEach(([canvas, config]) => new Chart(canvas, config));
  document.getElementById("sections").replaceChildren(...[...main.querySelectorAll("section")].map((one) =>
    el("a", { href: `#${one.id}` }, one.querySelector("h2").textContent)));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function isDark() {
  return (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
}

function showTheme() {
  const button = document.getElementById("theme");
  button.textContent = isDark() ? "Light mode" : "Dark mode";
  if (data.apps.length) render();
}

function remembered(value) {
  try {
    if (value) localStorage.setItem("userpilot-report-theme", value);
    return localStorage.getItem("userpilot-report-theme");
  } catch {
    return null; // a browser that keeps nothing for files
  }
}

function start() {
  const published = new Date(data.published_at).toLocaleString("en-GB", { timeZone: "UTC", dateStyle: "long", timeStyle: "short" });
  const asOf = data.as_of_date ? `Data up to ${day(data.as_of_date, { day: "numeric", month: "long", year: "numeric" })}` : "No data yet";
  document.getElementById("dates").textContent = `${asOf}, published ${published} UTC.`;
  const stored = remembered();
  if (stored === "dark" || stored === "light") root.dataset.theme = stored;
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remembered(root.dataset.theme);
    showTheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
  if (data.apps.length) {
    const select = document.getElementById("app");
    data.apps.forEach((app, index) => select.append(el("option", { value: index }, app.name)));
    const filters = document.getElementById("filters");
    filters.hidden = false;
    filters.addEventListener("change", render);
    filters.addEventListener("submit", (event) => event.preventDefault());
    if (data.apps_total > data.apps.length) {
      select.parentElement.append(el("small", {}, ` the ${data.apps.length} with most events, of ${number(data.apps_total)}`));
    }
  } else {
    main.replaceChildren(el("section", { class: "card empty" }, el("h2", {}, "No events yet"),
      el("p", {}, "This page fills as soon as an export is loaded:"), el("p", {}, el("code", {}, "make build SOURCE=path/to/exports"))), quality());
  }
  showTheme();
}

start();
