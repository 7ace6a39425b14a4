// What a site does with the answers: here it counts them. What counts for a decision is checked again, where the site's
// visitors cannot change it: by `credanchor verify`, or `POST /v1/verify`.

const checked = document.getElementById("checked");

document.addEventListener("credanchor-report", ({ detail: report }) => {
  const valid = report.answers.filter(({ outcome }) => outcome === "valid").length;
  checked.textContent = `${valid} of ${report.answers.length} valid`;
});

document.addEventListener("credanchor-trouble", ({ detail }) => {
  checked.textContent = `nothing could be checked (${detail.trouble})`;
});
