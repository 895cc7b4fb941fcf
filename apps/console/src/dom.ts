// Small helpers for the document. Text goes into it as text, never as markup.

export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`The page has no ${type.name} #${id}`);
}

interface Attributes {
  readonly class?: string;
  readonly title?: string;
  readonly onClick?: () => void;
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes,
  ...children: readonly (string | Node)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (attributes.class !== undefined) element.className = attributes.class;
  if (attributes.title !== undefined) element.title = attributes.title;
  const { onClick } = attributes;
  if (onClick !== undefined) element.addEventListener('click', onClick);
  element.append(...children);
  return element;
}

/** Of two tabs that each show a panel, one at a time. */
export function linkTabs(ids: readonly string[], onShow: (id: string) => void): void {
  const tabs = ids.map((id) => byId(`${id}-tab`, HTMLButtonElement));
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener('click', () => {
      for (const [each, other] of tabs.entries()) {
        other.setAttribute('aria-selected', String(each === index));
        byId(ids[each]!, HTMLElement).hidden = each !== index;
      }
      onShow(ids[index]!);
    });
  }
}
