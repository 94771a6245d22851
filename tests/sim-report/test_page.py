#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The report in a browser: it draws what the database says, and does what one clicks."""
import csv
import io
import json
import re
import time
import unittest
import xml.etree.ElementTree as ElementTree

import cli
from browser import Browser
from sweep_db import ENGINE_RATE, FAULT_STAGES, REQUEST_BYTES, SweepDb, axis, default_histogram

INFLIGHT = axis("workload.inflight", [1, 2, 4, 8, 16], "requests in flight", scale="log2")
EXTRA = axis("kernel.fault.extra_ns", [0, 5000, 20000], "added to a fault", "ns")
FRESH = [axis("workload.source_fresh_percent", [0, 100], "first touch of sources", "%", zip_group=1),
         axis("workload.destination_fresh_percent", [0, 100], "first touch of destinations", "%", zip_group=1)]
CARDS = ["throughput", "latency", "distribution", "stages", "map", "utilisation", "explore"]


class PageTest(cli.CliTest):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def show(self, axes=(INFLIGHT, EXTRA, *FRESH), dark=False, change=None, **options):
        """Makes a sweep and its report, and opens it."""
        self.db = SweepDb(self.path("sweep"), list(axes), **options)
        if change:
            change(self.db)
        self.assert_status(self.svasim("report", self.path("sweep")), 0)
        self.page = self.browser.open(self.path("sweep", "report.html"), dark)
        self.addCleanup(self.page.close)
        self.assertEqual(self.page.run("document.body.dataset.status"), "ready", self.page.complaints())
        return self.page

    def tearDown(self):
        if hasattr(self, "page"):
            self.assertEqual(self.page.complaints(), [])
            self.assertEqual(self.page.run("document.body.dataset.status"), "ready")

    def text(self, selector):
        return self.page.run(f"[...document.querySelectorAll({json.dumps(selector)})].map((node) => node.textContent)")

    def chart(self, card):
        """What is said about a chart: "Throughput: 6 lines, limits Engines, over …"."""
        return self.page.run(f"document.querySelector('#{card} .plot').getAttribute('aria-label')")

    def click(self, selector, index=0, event="click"):
        self.page.run(f"document.querySelectorAll({json.dumps(selector)})[{index}]"
                      f".dispatchEvent(new MouseEvent('{event}', {{bubbles: true}}))")

    def choose(self, selector, value):
        self.page.run(f"""(() => {{
            const node = document.querySelector({json.dumps(selector)});
            const option = [...node.options].find((one) => one.textContent === {json.dumps(value)});
            node.value = option.value;
            node.dispatchEvent(new Event('change'));
        }})()""")

    def type(self, selector, value, event="input"):
        self.page.run(f"""(() => {{
            const node = document.querySelector({json.dumps(selector)});
            node.value = {json.dumps(value)};
            node.dispatchEvent(new Event('{event}'));
        }})()""")

    def exported(self, card, kind):
        """(name, text) of the file that an export button would have the browser save."""
        return self.page.run(f"""(async () => {{
            const real = URL.createObjectURL, click = HTMLAnchorElement.prototype.click;
            let blob, name;
            URL.createObjectURL = (one) => (blob = one, real.call(URL, one));
            HTMLAnchorElement.prototype.click = function () {{ name = this.download; }};
            document.querySelector('#{card} [data-export={kind}]').click();
            URL.createObjectURL = real;
            HTMLAnchorElement.prototype.click = click;
            return [name, await blob.text()];
        }})()""")

    def table(self, card):
        return list(csv.reader(io.StringIO(self.exported(card, "csv")[1])))

    def points(self, setting):
        return [point for point in self.db.points if all(point["setting"][key] == str(value) for key, value in setting.items())]

    def wait_for(self, expression, value):
        """What takes an event or a frame to come true."""
        deadline = time.monotonic() + cli.TIMEOUT_S
        while self.page.run(expression) != value:
            self.assertLess(time.monotonic(), deadline, f"{expression}: never {value}")
            time.sleep(0.02)


class Charts(PageTest):
    def test_every_chart_is_there(self):
        self.show()
        self.assertEqual(self.page.run("[...document.querySelectorAll('#cards > section')].map((card) => card.id)"), CARDS)
        self.assertEqual(self.page.run("document.title"), "made-up – svasim")
        self.assertEqual(self.text("h1"), ["made-up"])
        self.assertIn("30 of 30", " ".join(self.text(".facts")))
        self.assertRegex(self.chart("throughput"), r"^Throughput: 6 lines, limits .*Engines.*over requests in flight$")
        self.assertRegex(self.chart("latency"), r": 12 lines")
        self.assertRegex(self.chart("map"), r": 3 rows")
        self.assertGreater(self.page.run("document.querySelectorAll('canvas').length"), 3)
        self.assertGreater(int(self.page.run("document.body.dataset.loadMs")), 0)

    def test_something_is_drawn_in_the_lines_colour(self):
        self.show(axes=(INFLIGHT,))
        drawn = self.page.run("""(() => {
            const canvas = document.querySelector('#throughput canvas');
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let i = 0; i < data.length; i += 4)
                count += data[i] === 0x1f && data[i + 1] === 0x5f && data[i + 2] === 0xbf && data[i + 3] > 200;
            return count;
        })()""")
        self.assertGreater(drawn, 300)

    def test_throughput_is_that_of_the_database(self):
        self.show()
        rows = self.table("throughput")
        self.assertEqual(rows[0], ["line", "requests in flight", "Throughput (GB/s)", "low", "high"])
        for extra, name in ((0, "0 ns · 0 %"), (20000, "20 µs · 0 %")):
            found = [row for row in rows if row[0] == name]
            wanted = self.points({"kernel.fault.extra_ns": extra, "workload.destination_fresh_percent": 0})
            self.assertEqual([row[1] for row in found], ["1", "2", "4", "8", "16"])
            for row, point in zip(found, wanted):
                value = point["metrics"]["throughput.bytes_per_s"] / 1e9
                self.assertAlmostEqual(float(row[2]), value, delta=value * 1e-5)
                self.assertAlmostEqual(float(row[3]), value * 0.99, delta=value * 1e-4)  # the confidence interval
                self.assertAlmostEqual(float(row[4]), value * 1.01, delta=value * 1e-4)

    def test_limits_follow_their_formulas(self):
        self.show(axes=(INFLIGHT,))
        rows = self.table("throughput")
        engines = [float(row[2]) for row in rows if row[0] == "Engines"]
        self.assertEqual(len(engines), 5)
        for value in engines:
            self.assertAlmostEqual(value, ENGINE_RATE / 1e9, places=4)
        little = [float(row[2]) for row in rows if row[0] == "Little"]
        for value, inflight in zip(little, (1, 2, 4, 8, 16)):
            self.assertAlmostEqual(value, inflight / 1000 * REQUEST_BYTES, places=3)  # 1 us alone
        # 204.8 GB/s of DRAM, of which each byte takes two: 12.8 times the engines
        self.assertIn("DRAM 12.8 × away", " ".join(self.text("#throughput .note")))
        table = " ".join(self.text("#limits td"))
        for formula in ("accel.engines.KIND.bytes ÷ accel.engine.KIND.busy_ps", "requests.in_flight_max ÷ least latency",
                        "memory.nodes × memory.channels × memory.channel_mb_s"):
            self.assertIn(formula, table)
        self.click("#throughput input[type=checkbox]")
        self.assertNotIn("limits", self.chart("throughput"))

    def test_percentiles_can_be_chosen(self):
        self.show(axes=(INFLIGHT,))
        first = float(self.table("latency")[1][2])
        self.choose("#latency select", "p99.9")
        self.assertEqual([row[0] for row in self.table("latency")[1:2]], ["p999"])
        self.assertAlmostEqual(float(self.table("latency")[1][2]), 3 * first, places=5)
        self.choose("#latency select", "mean")
        self.assertIn("limits Little", self.chart("latency"))

    def test_a_distribution_is_the_histogram(self):
        self.show(axes=(INFLIGHT,))
        self.choose("#distribution select[aria-label=at]", "at 16")
        rows = self.table("distribution")[1:]
        buckets = default_histogram(self.db.points[4]["metrics"])["latency_ns"]
        passed = 0
        for row, (edge, count) in zip(rows[1:], buckets):
            passed += count
            self.assertAlmostEqual(float(row[1]), edge, delta=edge * 1e-5)
            self.assertAlmostEqual(float(row[2]), passed / 2000, places=5)
        self.click("#distribution input[type=checkbox]")
        self.assertIn("share that takes longer", self.table("distribution")[0])

    def test_fault_stages_are_means_and_sum_up(self):
        self.show(axes=(INFLIGHT, *FRESH))
        rows = self.table("stages")
        stages = {name.split(" (")[0]: [float(row[i]) for row in rows[1:]] for i, name in enumerate(rows[0]) if i}
        self.assertEqual(list(stages), list(FAULT_STAGES))
        self.assertIn("(µs)", rows[0][1])
        for name, values in stages.items():
            self.assertEqual(values, [FAULT_STAGES[name] / 1000] * 5, name)
        self.choose("#stages select", "Requests by stage")
        self.assertRegex(self.chart("stages"), "^Requests by stage: .*: 2 stages")
        self.choose("#stages select", "What requests waited for")
        self.assertRegex(self.chart("stages"), "^What requests waited for: .*: 2 stages")

    def test_a_sweep_without_faults_shows_requests(self):
        self.show(axes=(INFLIGHT,))
        self.assertRegex(self.chart("stages"), "^Requests by stage: 2 stages")
        self.choose("#stages select", "Faults by stage")
        self.assertEqual(self.chart("stages"), "No faults here.")

    def test_nothing_has_no_mean(self):
        self.show(axes=(INFLIGHT, *FRESH))
        self.type("#explore input", "fault_ns.total.mean", "change")
        self.assertEqual({row[0] for row in self.table("explore")[1:]}, {"100 %"})

    def test_a_map_of_any_two_axes(self):
        self.show()
        self.choose("#map select[aria-label=across]", "added to a fault")
        self.choose("#map select[aria-label=up]", "first touch of sources and destinations")
        self.type("#map input", "latency_ns.p50", "change")
        self.choose("#map select[aria-label='requests in flight']", "1")
        rows = self.table("map")
        self.assertEqual(rows[0][1:], ["0 ns", "5 µs", "20 µs"])
        self.assertEqual([row[0] for row in rows[1:]], ["0 %", "100 %"])
        self.assertEqual([float(value) for value in rows[2][1:]], [5.2, 10.2, 25.2])

    def test_utilisation_is_in_percent(self):
        self.show(axes=(INFLIGHT,))
        rows = {row[0]: [float(value) for value in row[1:]] for row in self.table("utilisation")[1:]}
        self.assertAlmostEqual(rows["accel.engine.copy"][0], 51.2, places=3)
        self.assertEqual(rows["accel.engine.copy"][4], 100)

    def test_any_metric_can_be_drawn(self):
        self.show(axes=(INFLIGHT,))
        self.type("#explore input", "requests.per_s", "change")
        self.assertRegex(self.chart("explore"), r"^requests\.per_s: 1 lines")
        self.type("#explore input", "no.such.metric", "change")
        self.assertRegex(self.chart("explore"), r"^requests\.per_s: 1 lines")

    def test_repetitions_are_a_mean_and_a_range(self):
        self.show(axes=(INFLIGHT,), repetitions=3)
        _, _, value, low, high = self.table("throughput")[1]
        self.assertAlmostEqual(float(value) / float(low), 1.01, places=4)
        self.assertAlmostEqual(float(high) / float(low), 1.02, places=4)
        self.assertIn("means of repetitions", " ".join(self.text("#throughput .note")))

    def test_wide_ranges_are_logarithmic_by_themselves(self):
        self.show(axes=(INFLIGHT, axis("kernel.fault.extra_ns", [0, 1000000]), *FRESH))
        self.assertTrue(self.page.run("document.querySelector('#latency input[type=checkbox]').checked"))
        self.click("#latency input[type=checkbox]")
        self.assertFalse(self.page.run("document.querySelector('#latency input[type=checkbox]').checked"))


class Choices(PageTest):
    def test_the_x_axis_can_be_any(self):
        self.show()
        self.choose("#controls select", "added to a fault")
        self.assertRegex(self.chart("throughput"), r": 10 lines.* over added to a fault \(µs\)$")
        self.assertEqual(self.table("throughput")[1][1], "0")
        self.choose("#controls select", "first touch of sources and destinations")
        self.assertRegex(self.chart("throughput"), r": 15 lines.* over first touch of sources and destinations \(%\)$")

    def test_values_can_be_hidden(self):
        self.show()
        self.click("[data-dimension='kernel.fault.extra_ns'] .chip", 1)
        self.assertRegex(self.chart("throughput"), r": 4 lines")
        self.assertEqual({row[0] for row in self.table("throughput")[1:] if "·" in row[0] and "," not in row[0]},
                         {"0 ns · 0 %", "0 ns · 100 %", "20 µs · 0 %", "20 µs · 100 %"})
        self.click("[data-dimension='kernel.fault.extra_ns'] .chip", 1)
        self.assertRegex(self.chart("throughput"), r": 6 lines")
        self.click("[data-dimension='kernel.fault.extra_ns'] .chip", 2, "dblclick")
        self.assertRegex(self.chart("throughput"), r": 2 lines")

    def test_the_last_value_cannot_be_hidden(self):
        self.show(axes=(INFLIGHT, *FRESH))
        for index in (0, 1, 1):
            self.click("[data-dimension='workload.source_fresh_percent'] .chip", index)
        self.assertRegex(self.chart("throughput"), r": 1 lines")

    def test_of_many_lines_some_are_hidden_at_first(self):
        self.show(axes=(INFLIGHT, EXTRA, axis("smmu.tlb_entries", [64, 65, 66, 67]), axis("smmu.walk_slots", [1, 2, 3, 4])))
        self.assertRegex(self.chart("throughput"), r": 24 lines")
        self.assertEqual(self.page.run("""[...document.querySelectorAll("[data-dimension='smmu.walk_slots'] .chip")]
            .map((chip) => chip.getAttribute('aria-pressed'))"""), ["true", "false", "false", "true"])
        self.click("#show-all")
        self.assertRegex(self.chart("throughput"), r": 48 lines")
        self.assertEqual(self.page.run("document.querySelectorAll('#show-all').length"), 0)

    def test_light_and_dark(self):
        self.show(dark=True)
        theme = "document.documentElement.dataset.theme"
        background = "getComputedStyle(document.body).backgroundColor"
        self.assertEqual(self.page.run(theme), "dark")
        dark = self.page.run(background)
        self.page.dark(False)
        self.wait_for(theme, "light")
        self.assertNotEqual(self.page.run(background), dark)
        self.click("#theme")
        self.assertEqual(self.page.run(theme), "dark")
        self.assertEqual(self.page.run(background), dark)

    def test_a_narrow_window_redraws(self):
        self.show()
        self.page.call("Emulation.setDeviceMetricsOverride", width=700, height=900, deviceScaleFactor=2, mobile=False)
        self.wait_for("document.querySelector('#throughput .uplot').offsetWidth < 700", True)

    def mouse(self, kind, x, y, clicks=0):
        """At a place of the throughput's plot: 0..1 of its width and height."""
        box = self.page.run("(() => { const {x, y, width, height} = document.querySelector('#throughput .u-over').getBoundingClientRect();"
                            " return [x, y, width, height]; })()")
        self.page.call("Input.dispatchMouseEvent", type=kind, x=box[0] + box[2] * x, y=box[1] + box[3] * y, button="left" if clicks else "none",
                       clickCount=clicks)

    def test_a_part_can_be_looked_at_closer(self):
        self.show(axes=(INFLIGHT, EXTRA))
        picture = "document.querySelector('#throughput canvas').toDataURL()"
        whole = self.page.run(picture)
        self.mouse("mousePressed", 0.4, 0.5, 1)
        self.mouse("mouseMoved", 0.8, 0.5)
        self.mouse("mouseReleased", 0.8, 0.5, 1)
        self.page.complaints()  # a frame later
        self.assertNotEqual(self.page.run(picture), whole)
        self.page.run("document.querySelector('#throughput .u-over').dispatchEvent(new MouseEvent('dblclick', {bubbles: true}))")
        self.mouse("mouseMoved", 0.5, 3)
        self.wait_for(f"{picture} === {json.dumps(whole)}", True)

    def test_the_cursor_tells_values(self):
        self.show(axes=(INFLIGHT, EXTRA))
        self.page.run("document.getElementById('throughput').scrollIntoView()")
        self.mouse("mouseMoved", 0.98, 0.5)
        self.wait_for("document.querySelector('#throughput .tip').style.display", "block")
        tip = self.page.run("document.querySelector('#throughput .tip').innerText")
        self.assertIn("requests in flight: 16", tip)
        self.assertIn("8 GB/s", tip)


class Exports(PageTest):
    def test_every_chart_as_svg_on_white(self):
        self.show(dark=True)
        for card in CARDS:
            with self.subTest(card=card):
                name, text = self.exported(card, "svg")
                self.assertRegex(name, r"^made-up-[\w.-]+\.svg$")
                root = ElementTree.fromstring(text)
                self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
                self.assertEqual(root[0].get("fill"), "#ffffff")
                texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
                self.assertGreater(len(texts), 8)
                self.assertNotIn("NaN", text)
                self.assertNotIn("undefined", text)
                self.assertNotIn("Infinity", text)
        self.assertEqual(self.page.run("document.documentElement.dataset.theme"), "dark")

    def test_an_svg_has_a_line_for_each_line(self):
        self.show()
        root = ElementTree.fromstring(self.exported("throughput", "svg")[1])
        svg = "{http://www.w3.org/2000/svg}"
        lines = root.findall(f".//{svg}polyline")
        limits = len(re.search("limits (.*), over", self.chart("throughput")).group(1).split(", "))
        self.assertEqual(len(lines), 6 + limits)
        for line in lines:
            self.assertEqual(len(line.get("points").split()), 5)
        texts = [node.text for node in root.iter(f"{svg}text")]
        for text in ("Throughput", "requests in flight", "Throughput (GB/s)", "Engines", "20 µs · 100 %", "16"):
            self.assertIn(text, texts)

    def test_every_chart_as_csv(self):
        self.show()
        for card in CARDS:
            with self.subTest(card=card):
                rows = self.table(card)
                self.assertGreater(len(rows), 2)
                self.assertEqual({len(row) for row in rows}, {len(rows[0])})


class Tables(PageTest):
    def column(self, title):
        titles = self.text("#points th")
        index = titles.index(title) + 1
        return self.text(f"#points tbody td:nth-child({index})")

    def test_points_can_be_filtered(self):
        self.show(status=lambda number: ("failed", 1, "it broke, badly") if number == 3 else ("ok", 0, None))
        for filter_, count in (("", 30), ("workload.inflight=8", 6), ("workload.inflight>=8", 12), ("status=failed", 1), ("badly", 1),
                               ("status!=ok", 1), ("throughput.bytes_per_s>7.9e9", 12), ("workload.inflight<4 kernel.fault.extra_ns=5000", 4),
                               ("accel.engine.copy", 29), ("nothing", 0), ("id=7", 1)):
            with self.subTest(filter=filter_):
                self.type("#point-filter", filter_)
                if filter_.startswith("throughput"):
                    count = sum(point["metrics"].get("throughput.bytes_per_s", 0) > 7.9e9 for point in self.db.points)
                self.assertEqual(self.text("#point-count"), [f"{count} of 30"])
                self.assertEqual(self.page.run("document.querySelectorAll('#points tbody tr').length"), count)

    def test_points_can_be_sorted(self):
        self.show()
        titles = self.text("#points th")
        at = titles.index("p50")
        self.assertEqual(self.column("point"), [str(i) for i in range(1, 31)])
        self.click("#points th button", at)
        by_latency = sorted(self.db.points, key=lambda point: point["metrics"]["latency_ns.p50"])
        self.assertEqual(self.column("point")[0], str(by_latency[0]["id"]))
        self.assertEqual(self.page.run(f"document.querySelectorAll('#points th')[{at}].getAttribute('aria-sort')"), "ascending")
        self.click("#points th button", at)
        longest = by_latency[-1]["metrics"]["latency_ns.p50"]
        first = self.db.points[int(self.column("point")[0]) - 1]
        self.assertEqual(first["metrics"]["latency_ns.p50"], longest)

    def test_points_that_failed_are_listed_with_their_error(self):
        status = {2: ("failed", 3, "svasim: a bug of the simulator: <b>bold</b>"), 4: ("timeout", None, "took more than 10 s"),
                  5: ("pending", None, None)}
        self.show(axes=(INFLIGHT,), status=lambda number: status.get(number, ("ok", 0, None)))
        self.assertEqual(self.text("#failed h2"), ["Points that failed: 2"])
        cells = self.text("#failed tbody td")
        self.assertEqual(cells[:5], ["2", "failed", "3", "workload.inflight=2", "svasim: a bug of the simulator: <b>bold</b>"])
        self.assertEqual(cells[5:], ["4", "timeout", "–", "workload.inflight=8", "took more than 10 s"])
        self.assertEqual(self.column("status"), ["ok", "failed", "ok", "timeout", "pending"])
        self.assertEqual([row[1] for row in self.table("throughput") if row[0] == "Throughput"], ["1", "4"])

    def test_validation_is_judged_by_its_range(self):
        def change(db):
            for row in (("zip", "8 KiB", "throughput", "GB/s", 7.6, 7.63, 7.2, 8.0, 1, "UADK"), ("zip", "fault", "time", "us", 10, 15, 8, 12, 0, "a paper"),
                        ("zip", "none", "time", "us", None, 15, None, None, 0, "nobody")):
                db.execute("INSERT INTO validation VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)

        self.show(axes=(INFLIGHT,), change=change)
        self.assertEqual(self.text("#validation h2"), ["Validation: 1 of 2 within their range"])
        self.assertEqual([text.split()[0] for text in self.text("#validation td:nth-child(9)")], ["✓", "✗", "no"])
        self.assertEqual(self.text("#validation td:nth-child(10)"), ["calibrated", "predicted", "predicted"])

    def test_configuration_says_what_differs(self):
        self.show(axes=(INFLIGHT,))
        self.assertEqual(self.text("#configuration > .scroll td"), ["workload.inflight", "1, 2, 4, 8, 16"])
        self.assertIn("smmu.stall_max", self.text("#configuration details code"))
        self.type("#configuration details input", "stall")
        self.assertEqual(self.text("#configuration details code"), ["smmu.stall_max"])
        self.assertEqual(self.text("#configuration pre"), ["axes: []\n"])


class Sweeps(PageTest):
    def test_text_of_users_stays_text(self):
        evil = "</script><script>document.body.dataset.status = 'bad'</script><img src=x onerror=alert(1)>"
        labelled = [axis("workload.inflight", [1, 2], evil, scale="linear"), axis("workload.operation", ["copy", "<i>crc</i>"], evil, scale="category")]
        self.show(axes=labelled, meta={"name": evil, "description": evil, "platform": evil})
        self.assertEqual(self.text("h1"), [evil])
        self.assertEqual(self.page.run("document.querySelectorAll('img, i').length"), 0)
        for card in CARDS:
            ElementTree.fromstring(self.exported(card, "svg")[1])
        self.assertEqual(len(self.table("throughput")[1]), 5)

    def test_nothing_has_run_yet(self):
        self.show(status=lambda _: ("pending", None, None))
        self.assertIn("No point of this sweep has results yet.", self.text("#cards p"))
        self.assertEqual(len(self.column_of_status()), 30)

    def column_of_status(self):
        return self.text("#points tbody td:nth-child(2)")

    def test_one_point_without_axes(self):
        self.show(axes=())
        self.assertRegex(self.chart("throughput"), r"^Throughput: 1 lines, .*over point$")
        self.assertEqual(self.page.run("document.querySelectorAll('#map').length"), 0)

    def test_names_as_an_axis(self):
        self.show(axes=(axis("platform", ["kunpeng920", "sapphire"], "machine", scale="category"), INFLIGHT))
        self.assertRegex(self.chart("throughput"), r": 2 lines.* over requests in flight$")
        self.choose("#controls select", "machine")
        self.assertRegex(self.chart("throughput"), r": 5 lines.* over machine$")
        self.assertEqual(self.table("throughput")[1][1], "kunpeng920")

    def test_sizes_as_an_axis(self):
        self.show(axes=(axis("workload.bytes", ["4KiB", "64KiB", "1MiB"], "size", scale="log2"),))
        self.assertEqual([row[1] for row in self.table("throughput")[1:4]], ["4KiB", "64KiB", "1MiB"])

    def test_three_axes_beside_x(self):
        self.show(axes=(INFLIGHT, EXTRA, axis("smmu.tlb_entries", [64, 128]), *FRESH))
        self.assertRegex(self.chart("throughput"), r": 12 lines")
        self.assertIn("0 ns · 64 · 0 %", {row[0] for row in self.table("throughput")})


if __name__ == "__main__":
    unittest.main(verbosity=1)
