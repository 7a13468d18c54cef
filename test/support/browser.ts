import { chromium, type Page } from "playwright-core";

/** Opens a URL in a new browser, and calls a function with the page. */
export async function onPage(address: string, look: (page: Page) => Promise<void>): Promise<void> {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  try {
    const page = await browser.newPage();
    await page.goto(address);
    await look(page);
  } finally {
    await browser.close();
  }
}
