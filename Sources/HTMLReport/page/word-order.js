// Three words in two orders through attention: as WordOrder in Swift.
const wordOrder = {
  words: ["dog", "bites", "man"],
  queries: [
    [0.9, 0.2, 0.7, -0.3, 0.4, 0.6, 0.5, 0.1], [0.8, 0.6, 0.5, 0.3, 0.9, -0.2, 0.6, 0.4],
    [0.3, 0.9, 0.6, 0.2, 0.7, 0.5, 0.4, -0.1],
  ],
  keys: [
    [0.7, 0.9, 0.4, 0.5, 0.8, 0.2, 0.6, 0.3], [0.5, 0.3, 0.9, -0.4, 0.6, 0.1, 0.7, 0.2],
    [0.9, -0.2, 0.6, 0.8, 0.3, 0.7, 0.5, 0.4],
  ],
  orders: [[0, 1, 2], [2, 1, 0]],
  reader: 1,

  attention(order, frequencies) {
    const weights = this.words.map((_, word) => {
      const distance = order.indexOf(this.reader) - order.indexOf(word);
      const [q, k] = [this.queries[this.reader], this.keys[word]];
      let logit = 0;
      frequencies.slice(0, 4).forEach((frequency, pair) => {
        const [a, b, c, d] = [q[2 * pair], q[2 * pair + 1], k[2 * pair], k[2 * pair + 1]];
        logit += (a * c + b * d) * Math.cos(distance * frequency) + (a * d - b * c) * Math.sin(distance * frequency);
      });
      return Math.exp(2 * logit);
    });
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  },

  show(frequencies) {
    const body = document.querySelector("#words tbody");
    const cells = (order, table) => this.attention(order, table).map((share) => `${Math.round(share * 1000) / 10} %`);
    body.replaceChildren(...this.orders.map((order) => {
      const row = [order.map((word) => this.words[word]).join(" "), ...cells(order, [0, 0, 0, 0]), ...cells(order, frequencies)];
      return html("tr", {}, row.map((cell) => html("td", {}, [cell])));
    }));
  },
};
