/** The colours of the picture, for a light page and a dark one. */
export const STYLE = `<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
.title { font-size: 17px; font-weight: 600; }
.small { font-size: 11px; fill: #59636e; }
.inside { font-size: 11px; fill: #ffffff; }
.bad { fill: #cf222e; font-weight: 600; }
.page { fill: #ffffff; }
.grid { stroke: #d1d9e0; stroke-width: 1; }
.axis { stroke: #59636e; stroke-width: 1; }
.moment { stroke: #1f2328; stroke-width: 1; stroke-dasharray: 3 3; }
.trouble { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: none; }
.old { fill: #6ea8dc; } .new { fill: #2f9e6e; } .failed { fill: #d1242f; }
.prepare { fill: #8c6d1f; } .promote { fill: #8250df; } .rollout { fill: #3573b5; } .confirm { fill: #2f855a; } .revoke { fill: #a8453c; }
.broken { fill: #d1242f; } .back { fill: #b8650a; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.small { fill: #9198a1; }
.inside { fill: #ffffff; }
.bad { fill: #ff7b72; }
.page { fill: #0d1117; }
.grid { stroke: #2f353d; }
.axis { stroke: #9198a1; }
.moment { stroke: #e6edf3; }
.trouble { stroke: #ff7b72; }
.old { fill: #3d6f9e; } .new { fill: #3fb27f; } .failed { fill: #ff5449; }
}
</style>`;
