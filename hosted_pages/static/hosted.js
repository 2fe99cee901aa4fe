// What makes a page nicer; everything works without it. Nothing here stores or sends anything but the form.
(() => {
  "use strict";
  const body = document.body, digits = (text) => text.replace(/\D/g, "");

  // Card fields
  const BRANDS = [
    ["visa", /^4/], ["amex", /^3[47]/], ["mastercard", /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/],
  ];
  const LENGTHS = { visa: [13, 16, 19], amex: [15], mastercard: [16] };
  const brandOf = (number) => (BRANDS.find(([, start]) => start.test(number)) || [""])[0];
  const grouped = (number) => (/^3[47]/.test(number)
    ? [number.slice(0, 4), number.slice(4, 10), number.slice(10, 15)]
    : [number.slice(0, 4), number.slice(4, 8), number.slice(8, 12), number.slice(12, 16), number.slice(16, 19)]
  ).filter(Boolean).join(" ");
  const dated = (typed) => {
    const [, month = "", year] = /^\s*(\d*)(?:\s*[/.\-\s]\s*(\d*))?/.exec(typed) || [];
    if (year !== undefined) return `${month.length === 1 && year ? "0" + month : month}/${year.slice(0, 4)}`;
    if (month.length > 2) return `${month.slice(0, 2)}/${month.slice(2, 6)}`;
    return month.length === 1 && month > "1" ? `0${month}` : month;
  };
  const luhn = (number) => [...number].reverse().reduce((sum, digit, place) => {
    const value = digit * (place % 2 ? 2 : 1);
    return sum + (value > 9 ? value - 9 : value);
  }, 0) % 10 === 0;

  // Writes what `form` makes of the field, and keeps the caret behind the digit it stood behind.
  const shaped = (input, form) => {
    const before = digits(input.value.slice(0, input.selectionStart)).length;
    const atEnd = input.selectionStart === input.value.length, value = form(input.value);
    if (value === input.value) return;
    input.value = value;
    let at = 0;
    for (let seen = 0; at < value.length && seen < before; at++) if (/\d/.test(value[at])) seen++;
    if (atEnd) at = value.length;
    if (document.activeElement === input) input.setSelectionRange(at, at);
  };

  const field = (purpose) => document.querySelector(`input[autocomplete="${purpose}"]`);
  const number = field("cc-number"), expiry = field("cc-exp"), code = field("cc-csc"), holder = field("cc-name");
  if (number) {
    const slot = number.parentElement.querySelector(".brand"), help = document.getElementById("f-code-help");
    const usual = help.textContent, marks = document.querySelector(".chosen .marks");
    const look = () => {
      const brand = brandOf(digits(number.value));
      const mark = marks && [...marks.children].find((one) => one.dataset.brand === brand);
      slot.replaceChildren(...(mark ? [mark.cloneNode(true)] : []));
      help.textContent = brand === "amex" ? code.dataset.amexHelp : usual;
    };
    number.addEventListener("input", () => { shaped(number, (typed) => grouped(digits(typed))); look(); });
    look();
    let length = expiry.value.length;
    expiry.addEventListener("input", () => {
      if (expiry.value.length > length) shaped(expiry, dated);  // deleting is left alone
      length = expiry.value.length;
    });
    code.addEventListener("input", () => shaped(code, (typed) => digits(typed).slice(0, 4)));
  }
  const wrongs = () => {
    const found = [];
    if (!number) return [...document.querySelectorAll("form.pay input[data-missing]")]
      .filter((input) => !input.value.trim()).map((input) => [input, input.dataset.missing]);
    const typed = digits(number.value), amex = brandOf(typed) === "amex";
    if (!typed) found.push([number, number.dataset.missing]);
    else if (!(LENGTHS[brandOf(typed)] || [12, 13, 14, 15, 16, 17, 18, 19]).includes(typed.length) || !luhn(typed)) found.push([number, number.dataset.wrong]);
    const [, month, year] = /^(\d{1,2})\/((?:20)?\d{2})$/.exec(dated(expiry.value.trim())) || [];
    const ends = new Date(2000 + (year % 100), month, 1);  // the first of the month after
    if (!month || month < 1 || month > 12) found.push([expiry, expiry.dataset.wrong]);
    else if (ends <= new Date()) found.push([expiry, expiry.dataset.over]);
    if (code.value.length !== (amex ? 4 : 3)) found.push([code, amex ? code.dataset.amex : code.dataset.missing]);
    if (holder.value.trim().length < 2) found.push([holder, holder.dataset.missing]);
    return found;
  };
  const say = (input, sentence) => {
    const place = document.getElementById(`${input.id}-error`);
    if (sentence) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
    place.replaceChildren();
    if (!sentence) return;
    const icon = document.querySelector("template.alert").content.cloneNode(true), text = document.createElement("span");
    text.textContent = sentence;
    place.append(icon, text);
  };

  // One press is enough.
  const form = document.querySelector("form.pay");
  if (form) {
    const title = document.title, button = form.querySelector("button");
    let sent = false;
    form.addEventListener("submit", (event) => {
      if (sent) return event.preventDefault();
      const found = wrongs();
      form.querySelectorAll("input[aria-invalid]").forEach((input) => say(input, ""));
      found.forEach(([input, sentence]) => say(input, sentence));
      if (found.length) {
        event.preventDefault();
        if (!title.startsWith(form.dataset.error)) document.title = `${form.dataset.error} ${title}`;
        found[0][0].focus();
        return;
      }
      sent = true;
      button.setAttribute("aria-disabled", "true");
      button.textContent = form.dataset.busy;
    });
    form.addEventListener("input", (event) => event.target.hasAttribute("aria-invalid") && say(event.target, ""));
  }
  const atOnce = document.querySelector("form.at-once");
  if (atOnce) atOnce.submit();
  // A page brought back from the browser's memory may be out of date.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  const start = document.querySelector("[autofocus]");
  if (start && document.activeElement !== start) start.focus();

  // Pages that wait ask how things stand, less and less often.
  const standing = body.dataset.standing;
  if (["waiting", "pending", "action"].includes(standing)) {
    const began = Date.now();
    const ask = async () => {
      try {
        const answer = await fetch(body.dataset.look, { headers: { Accept: "application/json" }, cache: "no-store" });
        const now = answer.ok ? await answer.json() : null;
        if (now && now.standing !== standing) return location.replace(now.next);
      } catch { /* no connection just now: the next question may get through */ }
      const passed = Date.now() - began;
      setTimeout(ask, document.hidden ? 8000 : passed < 15000 ? 1000 : passed < 60000 ? 2500 : 8000);
    };
    setTimeout(ask, standing === "waiting" ? 700 : 3000);
  }

  // In a frame: tell the shop's page how high we are and what came out. Only pages of the shop's own origins hear it.
  if (body.dataset.parents !== undefined && parent !== window) {
    const around = location.ancestorOrigins ? [...location.ancestorOrigins].slice(0, 1) : null;
    const origins = body.dataset.parents.split(" ").filter((origin) => origin && (!around || around.includes(origin)));
    const tell = (message) => origins.forEach((origin) => parent.postMessage({ zahlwerk: 1, ...message }, origin));
    const height = () => tell({ height: Math.ceil(body.getBoundingClientRect().height), least: standing === "action" });
    new ResizeObserver(height).observe(body);
    height();
    const results = { paid: "paid", pending: "pending", cancelled: "cancelled", expired: "expired", reversed: "cancelled" };
    if (results[standing]) {
      tell({ result: { status: results[standing], checkout: body.dataset.checkout, payment: body.dataset.payment } });
    }
  }
})();
