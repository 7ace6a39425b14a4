// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Vm, vm} from "../Vm.sol";

/// @title Where the registry keeps what, as a state proof would look for it
/// @dev The base slots are those documented in CredentialRegistry.sol, written down once more on purpose.
library Slots {
    uint256 internal constant REGISTRY_HEAD = 0;
    uint256 internal constant ROLES = 1;
    uint256 internal constant PENDING_ADMIN = 2;
    uint256 internal constant ADMIN = 3;
    uint256 internal constant ISSUERS = 4;
    uint256 internal constant ISSUER_OF_DID = 5;
    uint256 internal constant ISSUER_COUNT = 6;
    uint256 internal constant NEXT = 7;
    uint256 internal constant KEYS = 8;
    uint256 internal constant NONCES = 9;
    uint256 internal constant BATCHES = 10;
    uint256 internal constant REVOKED = 11;
    uint256 internal constant SUSPENDED = 12;

    // Bits from the low end of the word, as documented in ICredentialRegistry.sol.
    uint256 private constant _WITHDRAWN_AT = 200;
    uint256 private constant _STATUS_EPOCH = 240;
    uint256 private constant _VALID_UNTIL = 72;
    uint256 private constant _COMPROMISED_AT = 112;
    uint256 private constant _NEXT_STATUS_EPOCH = 160;

    function issuer(uint32 id) internal pure returns (uint256) {
        return _entry(id, ISSUERS);
    }

    /// @dev Who was offered control, and the status epoch after the current one.
    function next(uint32 id) internal pure returns (uint256) {
        return _entry(id, NEXT);
    }

    function key(address account) internal pure returns (uint256) {
        return _entry(uint160(account), KEYS);
    }

    function nonce(address account) internal pure returns (uint256) {
        return _entry(uint160(account), NONCES);
    }

    /// @dev Whether an account has a role: the first member of the role's record is a mapping.
    function role(bytes32 id, address account) internal pure returns (uint256) {
        return _entry(uint160(account), _entry(uint256(id), ROLES));
    }

    function batch(uint32 id, bytes32 root) internal pure returns (uint256) {
        return _entry(uint256(root), _entry(id, BATCHES));
    }

    function word(uint256 base, uint32 id, uint16 epoch, uint32 list, uint16 index) internal pure returns (uint256) {
        return _entry(index, _entry(list, _entry(epoch, _entry(id, base))));
    }

    function read(address registry, uint256 slot) internal view returns (uint256) {
        return uint256(vm.load(registry, bytes32(slot)));
    }

    /* STATE THAT LATER CALLS OF THE CONTRACT WILL WRITE */

    function setWithdrawnAt(address registry, uint32 id, uint40 at) internal {
        _write(registry, issuer(id), _WITHDRAWN_AT, 40, at);
    }

    function setStatusEpoch(address registry, uint32 id, uint16 epoch) internal {
        _write(registry, issuer(id), _STATUS_EPOCH, 16, epoch);
    }

    /// @dev As after so many compromised STATUS keys that no test adds them all.
    function setStatusEpochs(address registry, uint32 id, uint16 current, uint16 following) internal {
        setStatusEpoch(registry, id, current);
        _write(registry, next(id), _NEXT_STATUS_EPOCH, 16, following);
    }

    function setValidUntil(address registry, address account, uint40 at) internal {
        _write(registry, key(account), _VALID_UNTIL, 40, at);
    }

    function setCompromisedAt(address registry, address account, uint40 at) internal {
        _write(registry, key(account), _COMPROMISED_AT, 40, at);
    }

    function _write(address registry, uint256 slot, uint256 shift, uint256 width, uint256 value) private {
        uint256 mask = ((uint256(1) << width) - 1) << shift;
        vm.store(registry, bytes32(slot), bytes32((read(registry, slot) & ~mask) | (value << shift)));
    }

    function _entry(uint256 mappingKey, uint256 slot) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(mappingKey, slot)));
    }
}
