"""What is known of one person: exported (Art. 15, 20 GDPR), erased (Art. 17); each kind of data is a file of known/."""
