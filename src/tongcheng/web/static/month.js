// Turns the picture of the days into one that zooms and tells its figures under the pointer.
// Without it the picture that came with the page stands; it is kept for paper.
"use strict";

(() => {
  const figure = document.getElementById("daily");
  const rows = [...document.querySelectorAll("#daily-table tbody tr")];
  if (!figure || !rows.length || typeof echarts === "undefined") return;

  const yuan = (fen) => Number(fen) / 100;
  const shown = new Intl.NumberFormat(document.documentElement.lang, {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
  const box = document.createElement("div");
  box.className = "month-chart";
  box.setAttribute("aria-hidden", "true");
  figure.append(box);
  figure.classList.add("charted");
  const chart = echarts.init(box);

  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { axisLabel: { color: colour("--muted") } };
    const series = (name, key, fill) => ({
      name,
      type: "bar",
      data: rows.map((row) => yuan(row.dataset[key])),
      itemStyle: { color: fill },
    });
    chart.setOption({
      animation: false,
      grid: { left: 8, right: 8, top: 16, bottom: 56, containLabel: true },
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        backgroundColor: colour("--paper"),
        borderColor: colour("--line-strong"),
        textStyle: { color: colour("--ink") },
        valueFormatter: (value) => shown.format(value),
      },
      xAxis: { type: "category", data: rows.map((row) => row.dataset.on.slice(5)), ...axis },
      yAxis: { type: "value", splitLine: { lineStyle: { color: colour("--line") } }, ...axis },
      dataZoom: [{ type: "slider", height: 20, bottom: 8, showDetail: false }],
      series: [
        series(figure.dataset.toUs, "toUs", colour("--bar")),
        series(figure.dataset.byUs, "byUs", colour("--bar-other")),
      ],
    });
  };

  draw();
  addEventListener("resize", () => chart.resize());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
