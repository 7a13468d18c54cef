document.getElementById("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = document.getElementById("answer");
  try {
    const response = await fetch("predict", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: document.getElementById("body").value,
    });
    const reason = response.headers.get("x-error-reason");
    answer.textContent = `${response.status}${reason ? ` (${reason})` : ""}\n${await response.text()}`;
  } catch (error) {
    answer.textContent = String(error);
  }
});
