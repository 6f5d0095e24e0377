/** The colours of the picture, for a light page and a dark one. */
export const STYLE = `<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
.title { font-size: 17px; font-weight: 600; }
.small { font-size: 11px; fill: #59636e; }
.warn { font-size: 11px; fill: #cf222e; }
.page { fill: #ffffff; }
.window { fill: #f6f8fa; }
.blind { fill: #d1d9e0; fill-opacity: 0.75; }
.row { stroke: #d1d9e0; stroke-width: 1; }
.grid { stroke: #d1d9e0; stroke-width: 1; stroke-dasharray: 1 3; }
.axis { stroke: #59636e; stroke-width: 1; }
.rotation { stroke: #8250df; stroke-width: 1.5; stroke-dasharray: 4 3; }
.moved { font-size: 11px; fill: #8250df; }
.known { fill: #3573b5; fill-opacity: 0.72; }
.strange { fill: #b8650a; fill-opacity: 0.78; }
.denied { stroke: #d1242f; stroke-width: 2; fill: none; stroke-linecap: round; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.small { fill: #9198a1; }
.warn { fill: #ff7b72; }
.page { fill: #0d1117; }
.window { fill: #161b22; }
.blind { fill: #3d444d; }
.row { stroke: #2f353d; }
.grid { stroke: #3d444d; }
.axis { stroke: #9198a1; }
.rotation { stroke: #b083f0; }
.moved { fill: #b083f0; }
.known { fill: #6ea8dc; }
.strange { fill: #f0a04b; }
.denied { stroke: #ff5449; }
}
</style>`;
