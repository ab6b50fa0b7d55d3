/** An ES module to be required: see `silenceRequireWarning`. */
export {};
