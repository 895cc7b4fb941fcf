// What the tests ask of a page from within it. The text of this file is evaluated there: it knows
// the browser and nothing of Node.

/** Texts stand out from what is behind them: 4.5 to 1, or 3 to 1 where they are large. */
const CONTRAST_MIN = 4.5;
const LARGE_CONTRAST_MIN = 3;
const LARGE_PX = 24;
const LARGE_BOLD_PX = 18.66;

function auditDocument() {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const problems = [];
  const ids = all('[id]').map(({ id }) => id);
  const repeated = ids.filter((id, i) => ids.indexOf(id) !== i);
  if (repeated.length > 0) problems.push(`ids that come twice: ${repeated.join(', ')}`);
  if (document.documentElement.lang === '') problems.push('no language');
  if (document.title === '') problems.push('no title');
  for (const tag of ['main', 'h1']) {
    const count = all(tag).length;
    if (count !== 1) problems.push(`${count} of ${tag}`);
  }
  for (const attribute of ['aria-labelledby', 'aria-describedby', 'for', 'list']) {
    for (const element of all(`[${attribute}]`)) {
      const id = element.getAttribute(attribute);
      if (document.getElementById(id) === null) problems.push(`${attribute} of nothing: ${id}`);
    }
  }
  for (const field of all('input:not([type=hidden]), select, textarea')) {
    const isLabelled = field.labels.length > 0 || field.hasAttribute('aria-label');
    if (!isLabelled) problems.push(`no label: ${field.name}`);
  }
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) problems.push(`${wide} pixels wider than the window`);
  return problems;
}

function auditContrast() {
  const shown = [...document.body.querySelectorAll('*')].filter((element) => {
    const { width, height } = element.getBoundingClientRect();
    const isThere = width > 1 && height > 1 && !element.matches(':disabled');
    return isThere && hasWords(element) && element.checkVisibility({ visibilityProperty: true });
  });
  const problems = shown.flatMap((element) => {
    const ratio = contrastOf(element);
    const words = element.textContent.trim().slice(0, 30);
    return ratio >= contrastMin(element) ? [] : [`contrast ${ratio.toFixed(2)} of "${words}"`];
  });
  return [...new Set(problems)];
}

function hasWords(element) {
  const texts = [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE);
  const isField = element.matches('input:not([type=checkbox]), select, textarea');
  return isField || texts.some(({ textContent }) => textContent.trim() !== '');
}

function contrastMin(element) {
  const { fontSize, fontWeight } = getComputedStyle(element);
  const size = Number.parseFloat(fontSize);
  const isLarge = size >= LARGE_PX || (size >= LARGE_BOLD_PX && Number(fontWeight) >= 700);
  return isLarge ? LARGE_CONTRAST_MIN : CONTRAST_MIN;
}

function contrastOf(element) {
  const back = backgroundOf(element);
  const front = mix(parseColour(getComputedStyle(element).color), back);
  const [dark, light] = [luminance(front), luminance(back)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** What is seen behind an element, through all that is transparent. */
function backgroundOf(element) {
  if (element === null) return [255, 255, 255, 1];
  const own = parseColour(getComputedStyle(element).backgroundColor);
  return own[3] === 1 ? own : mix(own, backgroundOf(element.parentElement));
}

const painter = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });

/** Of any notation that the browser knows. */
function parseColour(text) {
  painter.clearRect(0, 0, 1, 1);
  painter.fillStyle = text;
  painter.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = painter.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}

function mix(front, back) {
  const part = (i) => front[i] * front[3] + back[i] * (1 - front[3]);
  return [part(0), part(1), part(2), 1];
}

/** WCAG 2.2, "relative luminance". */
function luminance(colour) {
  const [r, g, b] = colour.slice(0, 3).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Whether it can be seen what has the focus. */
function hasFocusRing() {
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
  return (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none';
}

/** What a selector says beyond what stands in a page. */
const STATES = /::?(?:before|after|hover|focus(?:-visible)?)(?![\w-])/g;

/** Of the site's own rules, each without those that it is nested in; Pico's are in a layer. */
function ownSelectors(rules, parent) {
  return [...rules].flatMap((rule) => {
    if (rule instanceof CSSLayerBlockRule) return [];
    if (!(rule instanceof CSSStyleRule)) return ownSelectors(rule.cssRules ?? [], parent);
    const own = rule.selectorText
      .split(/,(?![^(]*\))/)
      .map((text) => text.replaceAll(STATES, '').replaceAll('&', `:is(${parent})`).trim());
    return [...own, ...ownSelectors(rule.cssRules, own.join())];
  });
}

/** Selectors that are for nothing on any of the pages, and classes there that no selector names. */
function inspectStyles(pages) {
  const parser = new DOMParser();
  const documents = pages.map((text) => parser.parseFromString(text, 'text/html'));
  const selectors = ownSelectors(document.styleSheets[0].cssRules);
  const idle = selectors.filter((selector) => {
    return !documents.some((one) => one.querySelector(selector) !== null);
  });
  const named = new Set(selectors.join(' ').match(/\.[\w-]+/g));
  const classes = documents.flatMap((one) =>
    [...one.querySelectorAll('[class]')].flatMap(({ classList }) => [...classList]),
  );
  const unstyled = new Set(classes.filter((name) => !named.has(`.${name}`)));
  return { idle, unstyled: [...unstyled] };
}

function spoilPage() {
  document.querySelector('main').innerHTML +=
    '<input name="bare"><p id="side" class="faint">faint</p><a href="/"></a><pre>wide</pre>';
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('.faint { color: #ccc; background: #fff } pre { width: 3000px }');
  document.adoptedStyleSheets.push(sheet);
}

globalThis.inPage = {
  auditDocument,
  auditContrast,
  backgroundOf,
  hasFocusRing,
  inspectStyles,
  spoilPage,
};
