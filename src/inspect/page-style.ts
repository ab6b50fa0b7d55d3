/** How the page of `page.ts` looks. Light and dark, as the browser is set. */
export const pageStyle: string = `
:root { color-scheme: light dark; --line: #8886; --soft: #8882; --entry: #06c; --cycle: #c33; --closure: #e80; --way: #2a2; }
* { box-sizing: border-box; }
body { margin: 0; height: 100vh; display: grid; grid-template: 1fr / 19rem 1fr 21rem; font: 14px/1.4 system-ui, sans-serif; }
nav, aside { overflow: auto; padding: .75rem; min-width: 0; }
header { position: sticky; top: -.75rem; padding-top: .75rem; background: Canvas; z-index: 1; }
nav { border-right: 1px solid var(--line); }
aside { border-left: 1px solid var(--line); overflow-wrap: anywhere; }
main { position: relative; min-width: 0; overflow: hidden; }
h1 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0 0 .5rem; }
h3 { font-size: .85rem; margin: 1rem 0 .25rem; }
input { width: 100%; font: inherit; padding: .25rem .5rem; }
#count { margin: .5rem 0; opacity: .7; }
ol, ul { list-style: none; margin: 0; padding: 0; }
li { content-visibility: auto; contain-intrinsic-size: auto 1.6rem; }
button { display: block; width: 100%; border: 0; padding: .1rem .35rem; font: inherit; color: inherit; background: none; text-align: left; cursor: pointer; border-radius: 3px; overflow-wrap: anywhere; }
button:hover, button:focus-visible { background: var(--soft); }
button.entry, span.entry { font-weight: 600; color: var(--entry); }
button.cycle::after { content: " \\21bb"; color: var(--cycle); }
button.closure { box-shadow: inset 3px 0 var(--closure); }
button.way { box-shadow: inset 3px 0 var(--way); }
button.selected { background: var(--closure); color: #000; }
.why { display: block; opacity: .65; font-size: .8rem; padding: 0 .35rem .2rem; }
svg { width: 100%; height: 100%; display: block; cursor: grab; }
svg path { fill: none; stroke: currentColor; stroke-opacity: .13; }
svg path.dynamic, svg path.runtime { stroke-dasharray: 4; }
svg path.needs { stroke-width: 2; }
svg path.closure { stroke: var(--closure); stroke-opacity: .8; }
svg path.way { stroke: var(--way); stroke-opacity: 1; stroke-width: 2.5; }
svg g { cursor: pointer; }
svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
svg circle { fill: #999; }
svg g.entry circle { fill: var(--entry); r: 7px; }
svg g.cycle circle { stroke: var(--cycle); stroke-width: 2.5; }
svg g.closure circle { fill: var(--closure); }
svg g.way circle { fill: var(--way); }
svg g.selected text { font-weight: 700; }
svg g.selected circle { r: 8px; }
svg.active g:not(.closure, .way, .selected), svg g.hidden { opacity: .25; }
#legend { position: absolute; left: .75rem; bottom: .25rem; margin: 0; font-size: .8rem; pointer-events: none; }
span.cycle { color: var(--cycle); } span.closure { color: var(--closure); } span.way { color: var(--way); }
#legend span + span::before { content: "\\b7 "; color: initial; opacity: .5; }
`;
