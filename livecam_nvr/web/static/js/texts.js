// All that the page says, in the language of whoever reads it: their choice, else the browser's, else English.
//
// A language is one file in texts/, a flat object of keys and texts. `{name}` in a text is a value; a text that depends
// on a number is an object by plural category (Unicode CLDR), chosen by the value `count`.

/** What there is, each in its own words. */
export const LANGUAGES = { en: "English", ko: "한국어" };
const SPOKEN = "en"; // by the service itself, in its messages
const KEY = "livecam-nvr.language";

/** The one in force: a BCP 47 tag, for Intl too. */
export const language = chosen() ?? navigator.languages.map(known).find(Boolean) ?? SPOKEN;

/** The same for dates and times: as the browser is set up, where it speaks that language. */
export const locale = navigator.languages.find((tag) => known(tag) === language) ?? language;

const { default: texts } = await import(`./texts/${language}.js`);
const plurals = new Intl.PluralRules(language);
const figures = new Intl.NumberFormat(locale);

/** A text with its values put in; numbers are written as the language writes them. */
export function t(key, values = {}) {
  const found = texts[key];
  if (found === undefined) return key;
  const text = typeof found === "string" ? found : (found[plurals.select(values.count)] ?? found.other);
  return text.replace(/\{(\w+)\}/g, (hole, name) => {
    const value = values[name] ?? hole;
    return typeof value === "number" ? figures.format(value) : value;
  });
}

/** What the service says in words, in this language if the kind of it is known here: `told("cause.camera", "…")`. */
export const told = (key, words, values) => (words && (language === SPOKEN || !(key in texts)) ? words : t(key, values));

/** A number as the language writes it, with so many decimals. */
export const number = (value, decimals = 0) =>
  value.toLocaleString(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

/** Puts the texts into what `data-text`, `data-title`, `data-label`, `data-role` and `data-hint` name, in templates too. */
export function translate(root) {
  const into = (name, put) => {
    for (const element of root.querySelectorAll(`[data-${name}]`)) put(element, t(element.dataset[name]));
  };
  into("text", (element, text) => (element.textContent = text));
  into("title", (element, text) => (element.title = text));
  into("label", (element, text) => element.setAttribute("aria-label", text));
  into("role", (element, text) => element.setAttribute("aria-roledescription", text));
  into("hint", (element, text) => (element.placeholder = text));
  for (const template of root.querySelectorAll("template")) translate(template.content);
}

/** Remembers another language, and shows the page in it. */
export function choose(code) {
  try {
    localStorage.setItem(KEY, code);
  } catch {
    return; // a browser that keeps nothing speaks its own language
  }
  location.reload();
}

function chosen() {
  try {
    return known(localStorage.getItem(KEY) ?? "");
  } catch {
    return undefined;
  }
}

// `ko-KR` is Korean.
function known(tag) {
  const [code] = tag.toLowerCase().split("-");
  return code in LANGUAGES ? code : undefined;
}

// A module that is fetched early runs early.
while (document.readyState === "loading") await new Promise((next) => document.addEventListener("readystatechange", next, { once: true }));
document.documentElement.lang = language;
translate(document);
